// dmscope stats: a trace as numbers (docs/command-line.md).
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_stats(Arguments arguments, Console& console);

}  // namespace app
