#include "app/commands/bench.hpp"

#include "app/bench/bench_report.hpp"
#include "app/bench/bench_run.hpp"
#include "app/interrupt.hpp"
#include "app/progress.hpp"

namespace app {

engine::Status run_bench(Arguments arguments, Console& console) {
  BenchOptions options;
  CLI::App command("Speed and memory of a checkpoint on this machine.", "dmscope bench");
  add_bench_options(command, options);
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};

  if (auto status = resolve_sections(options); !status) return status;
  const auto backend = to_backend_options(options.device);
  if (!backend) return backend.error();
  auto model = bench_model(options);
  if (!model) return model.error();
  if (auto status = check_positions(options, **model); !status) return status;

  InterruptWatch interrupt;
  Progress progress(!options.quiet && console.err_is_terminal());
  BenchRun run(options, *model, *backend, progress, interrupt.token());
  const engine::Status status = run.run();
  progress.clear();
  run.results().interrupted = interrupt.interrupted();
  if (!status && !interrupt.interrupted()) run.results().error = status.error().message;
  if (status || interrupt.interrupted() || run.results().measured_anything()) {
    // What is read by a program is JSON, asked for or not; people on a terminal get a table.
    const bool json = options.json || !console.out_is_terminal();
    console.print(json ? bench_json(run.results()) : bench_table(run.results()));
  }
  return status;
}

}  // namespace app
