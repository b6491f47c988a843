// dmscope sql: one read-only query over a trace (docs/command-line.md).
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_sql(Arguments arguments, Console& console);

}  // namespace app
