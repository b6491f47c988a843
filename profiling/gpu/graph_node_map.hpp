// Which layer and operation each node of a CUDA graph belongs to: what a record of a graph's kernel is
// attributed by, since a replay runs none of the engine's code.
//
// Filled while a graph is captured (under the scope that the engine has open) and instantiated (each node is
// cloned): records may name the original or the clone, so both stay. Any thread; it is called from inside
// CUDA's calls and calls nothing itself.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "engine/events/gpu_profiler.hpp"

namespace profiling {

struct GraphNode {
  std::uint32_t graph = 0;  // that it was created in, or cloned into
  std::int16_t layer = -1;
  std::int16_t operation = 0;
  std::int64_t bytes = 0;  // of its scope, if it is the scope's first kernel
};

class GraphNodeMap {
 public:
  enum class NodeType : std::uint8_t { kernel, copy_or_set, other };  // the last leaves no records

  // Nodes created until close_scope() belong to this operation.
  void open_scope(const engine::GpuScope& scope);
  void close_scope();

  // Without an open scope nothing is known of the node, and what was known of it stays.
  void created(std::uint32_t graph, std::uint64_t node, NodeType type);
  void cloned(std::uint64_t original, std::uint32_t graph, std::uint64_t node);

  std::optional<GraphNode> find(std::uint64_t node) const;
  // Nodes of a graph that leave a record in each launch of it.
  std::int64_t count(std::uint32_t graph) const;

 private:
  // 300 graphs of 400 kernels, each with its clone. The oldest nodes give way: their graphs are gone.
  static constexpr std::size_t kMaxNodes = 262144;

  void keep(std::uint64_t id, const GraphNode& node);

  mutable std::mutex mutex_;
  std::optional<engine::GpuScope> scope_;
  std::unordered_map<std::uint64_t, GraphNode> nodes_;
  std::unordered_map<std::uint32_t, std::int64_t> counts_;
  std::deque<std::uint64_t> order_;
};

}  // namespace profiling
