// Records made by hand, as a GPU's would come.
#pragma once

#include <cstdint>

#include "profiling/gpu/activity.hpp"
#include "profiling/gpu/scope_id.hpp"

namespace profiling_test {

using profiling::Activity;
using profiling::ActivityKind;

inline Activity kernel(std::uint32_t correlation, const char* name, std::uint64_t start_ns,
                       std::uint64_t duration_ns = 10) {
  Activity activity;
  activity.kind = ActivityKind::kernel;
  activity.start_ns = start_ns;
  activity.end_ns = start_ns + duration_ns;
  activity.correlation = correlation;
  activity.stream = 7;
  activity.name = name;
  return activity;
}

inline Activity node_kernel(std::uint32_t correlation, std::uint64_t node, std::uint64_t start_ns) {
  Activity activity = kernel(correlation, "in_graph", start_ns);
  activity.node = node;
  activity.graph = 3;
  return activity;
}

inline Activity scope(std::uint32_t correlation, std::uint64_t id) {
  Activity activity;
  activity.kind = ActivityKind::scope;
  activity.correlation = correlation;
  activity.value = id;
  return activity;
}

inline Activity launch(std::uint32_t correlation, std::uint64_t start_ns) {
  Activity activity;
  activity.kind = ActivityKind::launch;
  activity.correlation = correlation;
  activity.start_ns = start_ns;
  activity.end_ns = start_ns + 2;
  activity.name = "launch kernel";
  return activity;
}

inline Activity graph_launch(std::uint32_t correlation, std::uint64_t start_ns) {
  Activity activity = launch(correlation, start_ns);
  activity.name = "launch graph";
  activity.value = 1;
  return activity;
}

inline Activity whole_graph(std::uint32_t correlation, std::uint64_t start_ns,
                            std::uint64_t duration_ns = 10) {
  Activity activity = kernel(correlation, nullptr, start_ns, duration_ns);
  activity.kind = ActivityKind::graph;
  activity.graph = 3;
  return activity;
}

inline std::uint64_t id_of(engine::Step step, std::int16_t layer, std::int16_t operation,
                           unsigned serial = 0) {
  return profiling::scope_id({step, engine::Phase::decode, layer, operation}, serial);
}

}  // namespace profiling_test
