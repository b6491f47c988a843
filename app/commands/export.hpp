// dmscope export: a trace as Perfetto JSON or CSV files (docs/command-line.md).
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_export(Arguments arguments, Console& console);

}  // namespace app
