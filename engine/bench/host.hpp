// The machine as a profile's reader needs to know it, without loading a model.
#pragma once

#include <string>
#include <vector>

namespace engine {

struct HostInfo {
  std::string processor;
  int usable_cores = 0;                     // that this process may run on
  std::string instruction_set;              // what the CPU backend uses
  std::vector<std::string> available_sets;  // what it could use, worst first
  std::string instruction_set_reason;       // why no better one, or empty
};

HostInfo describe_host();

}  // namespace engine
