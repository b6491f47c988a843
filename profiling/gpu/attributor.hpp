// Joins records to the operations they belong to and makes spans of them.
//
// Records come in any order: a kernel may be known before the call that launched it. What belongs together
// has the same correlation id; the call's scope record says whose it is, and inside a graph the node says
// which operation. Records of a graph are believed to be a launch's only if they also lie within its time,
// and therefore wait for the launch after it, or for settle(); those whose id fits no launch are told by the
// order of launches (launch_order.hpp). What waits too long, or never gets a scope, becomes a span of no
// operation, and is counted: never a guess. Memory is bounded by the ring and the list of what waits. One
// thread.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "engine/events/events.hpp"
#include "profiling/gpu/activity.hpp"
#include "profiling/gpu/graph_node_map.hpp"
#include "profiling/gpu/kernel_names.hpp"
#include "profiling/gpu/launch_order.hpp"
#include "profiling/gpu/losses.hpp"
#include "profiling/gpu/scope_bytes.hpp"
#include "profiling/gpu/scope_id.hpp"

namespace profiling {

class Attributor {
 public:
  Attributor(const GraphNodeMap& nodes, ScopeBytes& bytes);

  // Times count from `origin_ns`; what began before `since_ns` belongs to no run. Steady clock.
  void start_run(std::uint64_t origin_ns, std::uint64_t since_ns);

  // Appends the spans that are complete with this record. Their bytes may be engine::kCacheBytes.
  void add(const Activity& activity, std::vector<engine::Span>& out);
  // Of all calls made so far the records have been added: the last launch's work need not wait for the next.
  void settle(std::vector<engine::Span>& out);
  // Nothing more comes: what still waits is not attributed, and graphs are checked for missing records.
  void close(std::vector<engine::Span>& out);

  KernelNames& names() { return names_; }
  Losses& losses() { return losses_; }
  std::int64_t attributed() const { return attributed_; }
  std::size_t waiting() const { return waiting_.size(); }

  static constexpr std::size_t kCalls = 65536;       // calls remembered
  static constexpr std::size_t kMaxWaiting = 65536;  // spans that wait for their call

 private:
  struct Call {
    std::uint32_t correlation = 0;
    bool known = false;  // its scope is
    std::uint64_t scope = 0;
    bool doubtful = false;       // several calls have this id and cannot be told apart
    bool shown = false;          // a runtime call and the driver call inside it are one launch
    std::uint32_t graph = 0;     // GraphNode::graph; 0: it launched none
    std::int64_t nodes = 0;      // records of its graph's nodes
    bool whole = false;          // its graph's record has come
    std::int64_t start_ns = -1;  // of the call, once it is shown
    std::int64_t end_ns = -1;
  };
  struct Waiting {
    std::uint32_t correlation = 0;
    std::uint64_t node = 0;
    ActivityKind kind = ActivityKind::kernel;
    engine::Span span;
    bool launches_graph = false;  // a call

    bool of_graph() const { return node != 0 || kind == ActivityKind::graph; }
  };
  using WaitingList = std::list<Waiting>;

  // Waiting records of graphs' nodes between two looks at their order; of whole graphs there are fewer.
  static constexpr std::size_t kOrderEvery = 2048;
  static constexpr std::size_t kNodesPerGraph = 64;

  Call& call_of(std::uint32_t correlation);
  Call& begin_anew(Call& call);
  bool fits(const Waiting& record, const Call& call) const;
  void add_record(const Activity& activity, std::vector<engine::Span>& out);
  void add_scope(const Activity& activity, std::vector<engine::Span>& out);
  void release(std::uint32_t correlation, std::vector<engine::Span>& out);
  void release_bounded(std::vector<engine::Span>& out);
  bool are_one_launch(std::uint32_t correlation) const;
  void show(const Waiting& record, Call& call);
  engine::Span span_of(const Activity& activity);
  void emit(const Waiting& record, Call& call, std::vector<engine::Span>& out);
  void attribute_to(const Waiting& record, std::uint64_t scope, engine::Span& span) const;
  void count(const Waiting& record, const engine::Span& span);
  void resolve_by_order(std::vector<engine::Span>& out);
  void forget(WaitingList::iterator entry);
  void wait(const Waiting& record, std::vector<engine::Span>& out);
  void give_up(const Waiting& record, std::vector<engine::Span>& out);
  void check_nodes(const Call& call);

  const GraphNodeMap& nodes_;
  ScopeBytes& bytes_;
  KernelNames names_;
  Losses losses_;
  std::uint64_t origin_ns_ = 0;
  std::uint64_t since_ns_ = 0;
  std::vector<Call> calls_;  // ring, by correlation
  WaitingList waiting_;      // oldest first
  std::unordered_multimap<std::uint32_t, WaitingList::iterator> waiting_for_;
  LaunchOrder order_;
  bool all_known_ = false;              // no record of a call is missing
  std::vector<std::uint32_t> bounded_;  // calls whose launch has got an end
  std::size_t unordered_ = 0;           // records of graphs that have begun to wait since the last look
  bool order_changed_ = false;          // since settle()
  std::int64_t attributed_ = 0;
};

}  // namespace profiling
