#include "profiling/gpu/launch_order.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>

namespace profiling {

void LaunchOrder::launched(std::int64_t start_ns, std::uint64_t scope, bool claimed) {
  launches_[start_ns] = {scope, claimed};
  if (launches_.size() > kMaxLaunches) launches_.erase(launches_.begin());
}

void LaunchOrder::claim(std::int64_t start_ns) {
  if (const auto found = launches_.find(start_ns); found != launches_.end()) found->second.claimed = true;
}

// A graph's records follow each other until one of its nodes runs again, or another graph's does.
std::vector<LaunchOrder::Match> LaunchOrder::match(std::vector<Record> records) {
  std::sort(records.begin(), records.end(),
            [](const Record& a, const Record& b) { return a.start_ns < b.start_ns; });
  std::vector<Match> found;
  const Record* const end = records.data() + records.size();
  for (const Record* first = records.data(); first != end;) {
    const auto graph = nodes_.find(first->node);
    std::unordered_set<std::uint64_t> seen;
    const Record* next = first;
    for (; next != end; ++next) {
      const auto node = nodes_.find(next->node);
      if (!node || !graph || node->graph != graph->graph || !seen.insert(next->node).second) break;
    }
    if (graph && static_cast<std::int64_t>(seen.size()) == nodes_.count(graph->graph)) {
      match_group(first, next, found);
    }
    first = std::max(next, first + 1);
  }
  return found;
}

void LaunchOrder::match_group(const Record* begin, const Record* end, std::vector<Match>& out) {
  const auto next = launches_.upper_bound(begin->start_ns);
  if (next == launches_.begin()) return;
  if (next != launches_.end() && next->first <= std::prev(end)->start_ns) return;
  Launch& launch = std::prev(next)->second;
  if (launch.claimed) return;
  launch.claimed = true;
  for (const Record* record = begin; record != end; ++record) out.push_back({record->index, launch.scope});
}

}  // namespace profiling
