#include "profiling/gpu/launch_order.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>

namespace profiling {

LaunchOrder::Launch& LaunchOrder::launch_at(std::int64_t start_ns) {
  const auto [entry, fresh] = launches_.try_emplace(start_ns);
  if (fresh && launches_.size() > kMaxLaunches && entry != launches_.begin()) {
    launches_.erase(launches_.begin());
  }
  return entry->second;
}

void LaunchOrder::heard(std::int64_t start_ns) {
  launch_at(start_ns);
}

void LaunchOrder::launched(std::int64_t start_ns, std::uint64_t scope, std::uint32_t correlation) {
  Launch& launch = launch_at(start_ns);
  launch.scope = scope;
  launch.correlation = correlation;
  launch.known = true;
}

void LaunchOrder::claim(std::int64_t start_ns) {
  if (const auto found = launches_.find(start_ns); found != launches_.end()) found->second.claimed = true;
}

bool LaunchOrder::holds(std::int64_t launch_ns, std::int64_t record_ns, bool all_known) const {
  const auto launch = launches_.find(launch_ns);
  if (launch == launches_.end() || record_ns < launch_ns) return false;
  const auto next = std::next(launch);
  return next != launches_.end() ? record_ns < next->first : all_known;
}

std::optional<std::uint32_t> LaunchOrder::correlation_before(std::int64_t start_ns) const {
  const auto launch = launches_.lower_bound(start_ns);
  if (launch == launches_.begin() || !std::prev(launch)->second.known) return std::nullopt;
  return std::prev(launch)->second.correlation;
}

std::optional<std::uint32_t> LaunchOrder::last_correlation() const {
  if (launches_.empty() || !launches_.rbegin()->second.known) return std::nullopt;
  return launches_.rbegin()->second.correlation;
}

bool LaunchOrder::is_whole(const Record* begin, const Record* end) const {
  if (begin->node == 0) return end - begin == 1;
  const auto first = nodes_.find(begin->node);
  if (!first) return false;
  std::unordered_set<std::uint64_t> seen;
  for (const Record* record = begin; record != end; ++record) {
    const auto node = nodes_.find(record->node);
    if (!node || node->graph != first->graph || !seen.insert(record->node).second) return false;
  }
  return static_cast<std::int64_t>(seen.size()) == nodes_.count(first->graph);
}

std::vector<LaunchOrder::Match> LaunchOrder::match(std::vector<Record> records, bool all_known) {
  std::sort(records.begin(), records.end(),
            [](const Record& a, const Record& b) { return a.start_ns < b.start_ns; });
  std::vector<Match> found;
  const Record* const end = records.data() + records.size();
  for (const Record* first = records.data(); first != end;) {
    const auto next = launches_.upper_bound(first->start_ns);
    const auto ends = [&](const Record& record) { return record.start_ns >= next->first; };
    const Record* const last = next != launches_.end() ? std::find_if(first, end, ends) : end;
    const bool bounded = next != launches_.begin() && (next != launches_.end() || all_known);
    if (bounded && is_whole(first, last)) {
      Launch& launch = std::prev(next)->second;
      if (launch.known && !launch.claimed) {
        launch.claimed = true;
        for (const Record* record = first; record != last; ++record)
          found.push_back({record->index, launch.scope});
      }
    }
    first = last;
  }
  return found;
}

}  // namespace profiling
