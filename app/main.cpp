#include <csignal>
#include <string>
#include <vector>

#include "app/command_line.hpp"
#include "app/console.hpp"
#include "profiling/gpu/cupti_source.hpp"

int main(int argc, char** argv) {
  app::open_missing_descriptors();
  // A closed pipe and a file size limit are errors to report, not reasons to die silently.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const int status = app::run_command_line(arguments);
  profiling::end_cupti_source();  // here rather than in a static destructor, which CUPTI's own may precede
  return status;
}
