#include "profiling/gpu/losses.hpp"

namespace profiling {
namespace {

struct LossText {
  const char* what;
  const char* meaning;
};

constexpr std::array<LossText, kLosses> kTexts{{
    {"dropped", "GPU records that CUPTI dropped because it had no buffer for them"},
    {"refused_buffers", "buffers that CUPTI was refused because 64 MiB of them were full or in use"},
    {"cut_buffers", "buffers of GPU records whose end could not be read"},
    {"unknown_records", "GPU records of a kind that this program does not know"},
    {"unknown_nodes", "kernels and copies of captured graphs that CUPTI did not number"},
    {"untimed", "kernels, copies and graphs without time stamps, which are in no statistics"},
    {"unattributed", "kernels, copies and graphs that could not be attributed to an operation"},
    {"missing_nodes", "kernels and copies of launched graphs that left no record"},
    {"unnamed_kernels", "kernels that came after the first 30000 names and share one"},
    {"unread_spans", "spans that were not taken in time and discarded"},
}};

}  // namespace

void Losses::report(std::vector<engine::RecordsLost>& out) {
  for (std::size_t i = 0; i < kLosses; ++i) {
    if (counts_[i] == reported_[i]) continue;
    reported_[i] = counts_[i];
    out.push_back({kTexts[i].what, counts_[i], kTexts[i].meaning});
  }
}

void Losses::clear() {
  counts_ = {};
  reported_ = {};
}

}  // namespace profiling
