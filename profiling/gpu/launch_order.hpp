// The launches of graphs in time, and which of them a graph's records can belong to: CUPTI 13.0 has been seen
// to give records of graphs, and the calls that launched them, wrong correlation ids.
//
// The engine waits for a graph before it launches the next, so that what a launch did lies between its call
// and the next call, in time. An id is believed only where that agrees; without an id, time alone is used
// only where nothing is left to guess: all records of the graph are there, each node once, within the time of
// one launch, and nobody else's records have been found for it. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "profiling/gpu/graph_node_map.hpp"

namespace profiling {

class LaunchOrder {
 public:
  explicit LaunchOrder(const GraphNodeMap& nodes) : nodes_(nodes) {}

  void clear() { launches_.clear(); }
  // A graph was launched at this time; whose it was is not known yet.
  void heard(std::int64_t start_ns);
  // It was launched under this id, by the call with this correlation.
  void launched(std::int64_t start_ns, std::uint64_t scope, std::uint32_t correlation);
  // It was no launch of its own.
  void forget(std::int64_t start_ns) { launches_.erase(start_ns); }
  // Records of it are known.
  void claim(std::int64_t start_ns);

  // Whether a record lies within the time of this launch. As long as calls may be missing (not `all_known`)
  // the last launch has no end, and nothing lies in it.
  bool holds(std::int64_t launch_ns, std::int64_t record_ns, bool all_known) const;
  // The launch before this one, which it ends.
  std::optional<std::uint32_t> correlation_before(std::int64_t start_ns) const;
  std::optional<std::uint32_t> last_correlation() const;

  struct Record {
    std::int64_t start_ns = 0;
    std::uint64_t node = 0;  // 0: a graph as a whole
    std::size_t index = 0;   // the caller's
  };
  struct Match {
    std::size_t index = 0;
    std::uint64_t scope = 0;  // of the launch
  };
  // Of records that nothing else is known of; the launches that are found are claimed.
  std::vector<Match> match(std::vector<Record> records, bool all_known);

 private:
  static constexpr std::size_t kMaxLaunches = 65536;
  struct Launch {
    std::uint64_t scope = 0;
    std::uint32_t correlation = 0;
    bool known = false;    // whose it is
    bool claimed = false;  // by records
  };
  using Launches = std::map<std::int64_t, Launch>;  // by their start

  Launch& launch_at(std::int64_t start_ns);
  // Exactly what one launch of a graph leaves.
  bool is_whole(const Record* begin, const Record* end) const;

  const GraphNodeMap& nodes_;
  Launches launches_;
};

}  // namespace profiling
