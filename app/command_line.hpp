// The program's commands: finds the one that is asked for, runs it and turns its outcome into the exit
// status.
#pragma once

#include "app/arguments.hpp"

namespace app {

// `arguments` without the program's name. Never throws. Exit status: 0 done, 1 the work failed, 2 bad usage
// or input.
int run_command_line(Arguments arguments);

}  // namespace app
