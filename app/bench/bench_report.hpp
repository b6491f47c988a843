// The results of `dmscope bench`, for people and as JSON (keys: docs/command-line.md).
#pragma once

#include <string>

#include "app/bench/bench_run.hpp"

namespace app {

std::string bench_json(const BenchResults& results);
std::string bench_table(const BenchResults& results);

}  // namespace app
