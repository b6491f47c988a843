#include "app/view/charged_times.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace app::view {

bool runs_before(const engine::Span& a, const engine::Span& b) {
  if (a.start_ns != b.start_ns) return a.start_ns < b.start_ns;
  return std::tie(a.end_ns, a.operation, a.kernel, a.layer, a.step) <
         std::tie(b.end_ns, b.operation, b.kernel, b.layer, b.step);
}

void ChargedTimes::update(const RunSnapshot& run) {
  if (run.run_id() != run_id_) {
    *this = {};
    run_id_ = run.run_id();
  }
  spans_ = run.spans();
  forget_before(spans_.dropped());
  std::map<Stream, std::vector<std::int64_t>> fresh;
  const std::int64_t end = spans_.dropped() + static_cast<std::int64_t>(spans_.size());
  for (auto number = first_ + static_cast<std::int64_t>(from_ns_.size()); number < end; ++number) {
    const engine::Span& added = span(number);
    from_ns_.push_back(added.start_ns);
    if (added.device >= 0) fresh[{added.device, added.stream}].push_back(number);
  }
  for (auto& [stream, added] : fresh) merge_in(streams_[stream], std::move(added));
}

engine::Span ChargedTimes::charged(std::int64_t number) const {
  engine::Span cut = span(number);
  cut.start_ns = std::max(cut.start_ns, std::min(from_ns(number), cut.end_ns));
  return cut;
}

void ChargedTimes::forget_before(std::int64_t number) {
  if (number <= first_) return;
  const auto count = std::min(from_ns_.size(), static_cast<std::size_t>(number - first_));
  from_ns_.erase(from_ns_.begin(), from_ns_.begin() + static_cast<std::ptrdiff_t>(count));
  first_ = number;
  for (auto& [stream, spans] : streams_)
    std::erase_if(spans, [&](std::int64_t each) { return each < number; });
}

// Late ones are few and not very late: what comes before the earliest of them stays as it is.
void ChargedTimes::merge_in(std::vector<std::int64_t>& stream, std::vector<std::int64_t> fresh) {
  const auto before = [this](std::int64_t a, std::int64_t b) { return runs_before(span(a), span(b)); };
  if (!std::is_sorted(fresh.begin(), fresh.end(), before)) std::sort(fresh.begin(), fresh.end(), before);
  const auto from = std::upper_bound(stream.begin(), stream.end(), fresh.front(), before) - stream.begin();
  const auto old = static_cast<std::ptrdiff_t>(stream.size());
  stream.insert(stream.end(), fresh.begin(), fresh.end());
  std::inplace_merge(stream.begin() + from, stream.begin() + old, stream.end(), before);
  charge(stream, static_cast<std::size_t>(from));
}

void ChargedTimes::charge(const std::vector<std::int64_t>& stream, std::size_t from) {
  std::int64_t busy_until = std::numeric_limits<std::int64_t>::min();
  // Where the one before is charged from says what was latest before it.
  if (from > 0) busy_until = std::max(from_ns(stream[from - 1]), span(stream[from - 1]).end_ns);
  for (std::size_t i = from; i < stream.size(); ++i) {
    const engine::Span& next = span(stream[i]);
    const std::int64_t starts = std::max(next.start_ns, busy_until);
    from_ns_[static_cast<std::size_t>(stream[i] - first_)] = starts;
    busy_until = std::max(starts, next.end_ns);
  }
}

}  // namespace app::view
