#include "engine/bench/host.hpp"

#include <sched.h>

#include <algorithm>
#include <thread>

#include "engine/backend/cpu_name.hpp"
#include "kernels/cpu/ops.hpp"

namespace engine {

namespace {

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

HostInfo describe_host() {
  HostInfo host;
  host.processor = cpu_name();
  host.usable_cores = usable_cores();
  host.instruction_set = kernels::best_ops(&host.instruction_set_reason).name;
  for (const kernels::CpuOps* ops : kernels::available_ops()) host.available_sets.emplace_back(ops->name);
  return host;
}

}  // namespace engine
