#include "app/gui/shell/machine_facts.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "engine/bench/host.hpp"

namespace app::gui {

namespace {

bool has_library(const char* name) {
  void* library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
  if (library != nullptr) dlclose(library);
  return library != nullptr;
}

}  // namespace

std::vector<MachineFact> machine_facts(const std::string& renderer, int width, int height, double scale) {
  const engine::HostInfo host = engine::describe_host();
  std::vector<MachineFact> facts;
  facts.push_back(
      {true, "CPU backend",
       fmt::format("{}, {} {}, {}.{}", host.processor, host.usable_cores,
                   host.usable_cores == 1 ? "core" : "cores", host.instruction_set,
                   host.instruction_set_reason.empty() ? "" : " " + host.instruction_set_reason + ".")});
  // Asked of the driver's library, which is what a CUDA program would open.
  const bool driver = has_library("libcuda.so.1");
  facts.push_back(
      {false, "No GPU",
       driver
           ? "An NVIDIA driver is here, but this build has no CUDA backend. Everything runs on the CPU."
           : "libcuda.so.1 not found: no NVIDIA driver. Everything runs on the CPU backend, more slowly."});
  facts.push_back({false, "No CUPTI",
                   "Needs the CUDA backend. The kernel timeline shows CPU timers, and says so in a badge."});
  facts.push_back(
      {true, "Display", fmt::format("{}, {} × {} at {:.0f} % scale.", renderer, width, height, 100 * scale)});
  return facts;
}

std::string facts_text(const std::vector<MachineFact>& facts) {
  std::string text = "DMScope " DMSCOPE_VERSION "\n";
  for (const MachineFact& fact : facts) text += fmt::format("{}: {}\n", fact.name, fact.text);
  return text;
}

}  // namespace app::gui
