#include "app/command_line.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <new>
#include <string_view>

#include "app/commands/bench.hpp"
#include "app/commands/export.hpp"
#include "app/commands/info.hpp"
#include "app/commands/record.hpp"
#include "app/commands/score.hpp"
#include "app/commands/sql.hpp"
#include "app/commands/stats.hpp"
#include "app/commands/tokenize.hpp"
#include "app/gui/commands/demo.hpp"
#include "app/gui/commands/eval.hpp"
#include "app/gui/commands/shot.hpp"
#include "app/gui/commands/ui_bench.hpp"
#include "app/gui/commands/window.hpp"

namespace app {

namespace {

struct Command {
  std::string_view name;
  engine::Status (*run)(Arguments arguments, Console& console);
  std::string_view summary;
};

constexpr std::array kCommands{
    Command{"replay", run_replay, "The window, on a saved trace"},
    Command{"demo", run_demo, "Sixty seconds that show what it does"},
    Command{"record", run_record, "Run a prompt and keep every decision in a trace"},
    Command{"score", run_score, "Logits, gate logits and live slots of given token ids, as npy"},
    Command{"tokenize", run_tokenize, "Text to token ids and back"},
    Command{"eval", run_eval,
            "Quality against compression: tasks, text and questions under a list of settings"},
    Command{"stats", run_stats, "A trace as numbers"},
    Command{"sql", run_sql, "A query over a trace, as CSV or JSON"},
    Command{"export", run_export, "A trace for Perfetto, or as CSV files"},
    Command{"shot", run_shot, "A picture of the window, without a display"},
    Command{"info", run_info, "What this machine, a checkpoint or a trace is"},
    Command{"bench", run_bench, "Speed and memory, measured against the memory's own ceiling"},
};

void print_help(Console& console) {
  console.out() << "DMScope: a profiler for LLM inference with a compressed KV cache.\n\n"
                   "Usage: dmscope                      the window\n"
                   "       dmscope COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Command& command : kCommands) {
    console.out() << fmt::format("  {:<10}{}\n", command.name, command.summary);
  }
  console.out()
      << "\nOptions:\n  -h, --help  Print this help and exit ('dmscope COMMAND --help' for a command's)\n"
         "  --version   Print the version and exit\n";
}

engine::Status dispatch(Arguments arguments, Console& console) {
  if (arguments.empty()) return run_window(arguments, console);
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h") {
    print_help(console);
    return {};
  }
  if (first == "--version") {
    console.out() << version_line() << '\n';
    return {};
  }
  const auto named = [&](const Command& command) { return command.name == first; };
  const auto* command = std::find_if(kCommands.begin(), kCommands.end(), named);
  if (first == "bench" && std::find(arguments.begin(), arguments.end(), "--ui") != arguments.end()) {
    return run_ui_bench(arguments.subspan(1), console);
  }
  if (command != kCommands.end()) return command->run(arguments.subspan(1), console);
  if (first.starts_with("--")) return run_window(arguments, console);
  console.later("Run 'dmscope --help' for the commands.");
  return engine::bad_input("unknown command '{}'", first);
}

}  // namespace

int run_command_line(Arguments arguments) {
  Console console;
  try {
    return console.finish(dispatch(arguments, console));
  } catch (const std::bad_alloc&) {
    return console.finish(engine::failed("out of memory"));
  } catch (const std::exception& error) {
    return console.finish(engine::failed("unexpected failure: {}", error.what()));
  }
}

}  // namespace app
