// What the processor calls itself, for people.
#pragma once

#include <string>

namespace engine {

std::string cpu_name();

}  // namespace engine
