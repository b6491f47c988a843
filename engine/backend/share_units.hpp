// Hands the units 0, 1, ... of a piece of work to the threads of a pool, each to whichever thread is free
// next.
#pragma once

#include <atomic>
#include <cstdint>

#include "kernels/cpu/thread_pool.hpp"

namespace engine {

// Calls work(unit, thread) once for every unit in [0, units), and returns when all are done.
template <typename Work>
void share_units(kernels::ThreadPool& pool, std::int64_t units, const Work& work) {
  pool.run([&](const kernels::Part& part) {
    std::int64_t own = 0;  // a pool of one has no shared counter
    const auto next = [&] {
      return part.next != nullptr ? part.next->fetch_add(1, std::memory_order_relaxed) : own++;
    };
    for (std::int64_t unit; (unit = next()) < units;) work(unit, part.index);
  });
}

}  // namespace engine
