// dmscope bench: speed and memory of a checkpoint on this machine (docs/command-line.md).
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_bench(Arguments arguments, Console& console);

}  // namespace app
