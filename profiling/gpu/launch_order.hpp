// Which launch of a graph its records belong to, where their correlation ids do not tell: CUPTI 13.0 has been
// seen to give records of graphs wrong ids.
//
// The engine waits for a graph before it launches the next, so that what a launch did lies between its call
// and the next call, in time. That is used only where nothing is left to guess: all records of the graph are
// there, each node once, within the time of one launch, and nobody else's records have been found for it. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "profiling/gpu/graph_node_map.hpp"

namespace profiling {

class LaunchOrder {
 public:
  explicit LaunchOrder(const GraphNodeMap& nodes) : nodes_(nodes) {}

  void clear() { launches_.clear(); }
  // A graph was launched at this time, under this id. `claimed`: records of it are known by their ids.
  void launched(std::int64_t start_ns, std::uint64_t scope, bool claimed);
  void claim(std::int64_t start_ns);

  struct Record {
    std::int64_t start_ns = 0;
    std::uint64_t node = 0;
    std::size_t index = 0;  // the caller's
  };
  struct Match {
    std::size_t index = 0;
    std::uint64_t scope = 0;  // of the launch
  };
  // Of records that nothing else is known of; the launches that are found are claimed.
  std::vector<Match> match(std::vector<Record> records);

 private:
  static constexpr std::size_t kMaxLaunches = 65536;
  struct Launch {
    std::uint64_t scope = 0;
    bool claimed = false;
  };
  void match_group(const Record* begin, const Record* end, std::vector<Match>& out);

  const GraphNodeMap& nodes_;
  std::map<std::int64_t, Launch> launches_;  // by their start
};

}  // namespace profiling
