#include "profiling/gpu/graph_node_map.hpp"

#include <utility>

namespace profiling {

void GraphNodeMap::open_scope(const engine::GpuScope& scope) {
  const std::lock_guard lock(mutex_);
  scope_ = scope;
}

void GraphNodeMap::close_scope() {
  const std::lock_guard lock(mutex_);
  scope_.reset();
}

void GraphNodeMap::created(std::uint32_t graph, std::uint64_t node, NodeType type) {
  const std::lock_guard lock(mutex_);
  if (!scope_ || type == NodeType::other) return;
  GraphNode known{graph, scope_->layer, scope_->operation, 0};
  if (type == NodeType::kernel) known.bytes = std::exchange(scope_->bytes, 0);
  keep(node, known);
}

void GraphNodeMap::cloned(std::uint64_t original, std::uint32_t graph, std::uint64_t node) {
  const std::lock_guard lock(mutex_);
  const auto found = nodes_.find(original);
  if (found == nodes_.end()) return;
  GraphNode clone = found->second;
  clone.graph = graph;
  keep(node, clone);
}

void GraphNodeMap::keep(std::uint64_t id, const GraphNode& node) {
  const auto forget = [this](std::uint32_t graph) {
    if (const auto count = counts_.find(graph); count != counts_.end() && --count->second == 0) {
      counts_.erase(count);
    }
  };
  const auto [entry, fresh] = nodes_.try_emplace(id, node);
  if (fresh) {
    order_.push_back(id);
  } else {
    forget(entry->second.graph);
    entry->second = node;
  }
  ++counts_[node.graph];
  if (order_.size() <= kMaxNodes) return;
  const auto oldest = nodes_.find(order_.front());
  order_.pop_front();
  forget(oldest->second.graph);
  nodes_.erase(oldest);
}

std::optional<GraphNode> GraphNodeMap::find(std::uint64_t node) const {
  const std::lock_guard lock(mutex_);
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return std::nullopt;
  return found->second;
}

std::int64_t GraphNodeMap::count(std::uint32_t graph) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(graph);
  return found != counts_.end() ? found->second : 0;
}

}  // namespace profiling
