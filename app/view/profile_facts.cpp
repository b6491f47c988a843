#include "app/view/profile_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "app/view/format.hpp"
#include "app/view/kernel_class.hpp"
#include "app/view/saturating.hpp"
#include "engine/events/gpu_profiler.hpp"

namespace app::view {

namespace {

std::optional<double> number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool all = error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
  return all ? std::optional(value) : std::nullopt;
}

bool has_gpu_times(const SpanView& spans) {
  constexpr std::size_t kLookedAt = 1024;  // one of them, or none of millions
  for (std::size_t i = spans.size(); i > 0 && spans.size() - i < kLookedAt; --i) {
    if (spans[i - 1].device >= 0) return true;
  }
  return false;
}

bool is_fall_back(const std::string& notice) {
  return notice.starts_with(engine::kWithoutCupti) || notice.starts_with(engine::kDetailedEnded) ||
         notice.starts_with(engine::kProfilingOff);
}

}  // namespace

std::string ProfileFacts::mode_at(engine::Step step) const {
  std::string mode;
  for (const ProfileChange& change : changes) {
    if (mode.empty() || change.step <= step) mode = change.mode;
  }
  return mode;
}

ProfileFacts profile_facts(const RunSnapshot& run) {
  ProfileFacts facts;
  facts.gpu_times = has_gpu_times(run.spans());
  facts.on_gpu = facts.gpu_times || run.run().backend == "cuda";
  for (std::int32_t i = 0; i < run.parameter_count(); ++i) {
    const engine::ParameterChanged& changed = run.parameter(i);
    if (changed.name == "profile") facts.changes.push_back({changed.step, changed.value});
    if (changed.name == "profile_cost_percent") facts.cost_percent = number(changed.value);
    if (changed.name == "profile_off_tokens_per_s") facts.off_tokens_per_s = number(changed.value);
    if (changed.name == "copy_ceiling_gb_per_s") facts.copy_ceiling_gb_per_s = number(changed.value);
  }
  if (facts.copy_ceiling_gb_per_s && *facts.copy_ceiling_gb_per_s <= 0) facts.copy_ceiling_gb_per_s.reset();
  for (std::int32_t i = 0; i < run.notice_count(); ++i) {
    if (!is_fall_back(run.notice(i))) continue;
    facts.fall_backs.push_back(run.notice(i));
    facts.without_cupti = facts.without_cupti || run.notice(i).starts_with(engine::kWithoutCupti);
  }
  return facts;
}

std::string timer_text(const ProfileFacts& facts, engine::Step step) {
  if (!facts.on_gpu) return "CPU timers";
  const std::string mode = facts.mode_at(step);
  const bool off = facts.without_cupti || mode.empty() || mode == "off";
  if (!off) return "CUPTI, " + mode;
  return facts.gpu_times ? "CUDA events" : "not profiled";
}

std::string mode_text(const ProfileFacts& facts) {
  std::string text;
  for (const ProfileChange& change : facts.changes) {
    text +=
        fmt::format("{}{} from step {}", text.empty() ? "" : ", ", change.mode, format_count(change.step));
  }
  return text.empty() ? std::string(kUnknown) : text;
}

std::string cost_text(const ProfileFacts& facts) {
  const bool profiles = std::any_of(facts.changes.begin(), facts.changes.end(),
                                    [](const ProfileChange& change) { return change.mode != "off"; });
  if (!profiles) return {};
  if (!facts.cost_percent) return "cost not measured";
  return *facts.cost_percent < 0.05 ? fmt::format("CUPTI costs under 0.1{}%", kThinSpace)
                                    : "CUPTI costs " + format_percent(*facts.cost_percent / 100);
}

std::string cost_about(const ProfileFacts& facts) {
  if (!facts.cost_percent) {
    return "What profiling costs was not measured in this run. Start it with --measure-cost, which decodes a "
           "few tokens in each profile mode after the run.";
  }
  const std::string off = facts.off_tokens_per_s
                              ? fmt::format(" ({} without)", format_rate(*facts.off_tokens_per_s, "tok/s"))
                              : "";
  return fmt::format("Decoding is slower by {} than unprofiled{}, measured after this run.",
                     format_percent(*facts.cost_percent / 100), off);
}

std::int64_t lost_records(const RunSnapshot& run) {
  std::int64_t sum = 0;
  for (const engine::RecordsLost& lost : run.losses())
    add_saturating(sum, std::max<std::int64_t>(0, lost.count));
  return sum;
}

std::string why_no_timings(const RunSnapshot& run, bool busy) {
  const ProfileFacts facts = profile_facts(run);
  if (facts.on_gpu && !facts.fall_backs.empty() && !facts.without_cupti) return facts.fall_backs.back() + ".";
  if (facts.on_gpu && facts.mode() == "off" && !facts.without_cupti)
    return "Profiled with off: run with --profile light or --profile detailed to time kernels.";
  if (busy) return facts.on_gpu ? "They come shortly after their step." : "They come with the first step.";
  return "This trace holds no timed operations: it was recorded without them.";
}

std::string why_no_bytes(const RunSnapshot& run, const engine::Span& span) {
  const auto& names = run.run().operations;
  const bool known = span.operation >= 0 && static_cast<std::size_t>(span.operation) < names.size();
  const KernelClass of =
      known ? class_of_kernel(names[static_cast<std::size_t>(span.operation)]) : KernelClass::other;
  if (span.device < 0) return "operations of the CPU do not say what they move";
  if (of == KernelClass::unattributed) return "its operation is not known";
  const std::int32_t step = run.step_index(span.step);
  if (of == KernelClass::attention && step >= 0 && run.step(step).phase == engine::Phase::prefill)
    return "in prefill a slot is read once for many queries";
  return "they are counted with the operation's first kernel";
}

}  // namespace app::view
