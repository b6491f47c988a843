#include "app/gui/commands/demo.hpp"

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>

#include "app/gui/demo/demo_player.hpp"
#include "app/gui/shell/application.hpp"
#include "app/gui/workbench/places.hpp"
#include "app/interrupt.hpp"
#include "app/progress.hpp"

namespace app {

namespace {

namespace fs = std::filesystem;

struct DemoArguments {
  std::optional<std::string> out;
  std::optional<std::string> model;
  std::int32_t frames_per_second = 10;
  bool quiet = false;
};

engine::Result<gui::DemoOptions> demo_options(const DemoArguments& arguments) {
  gui::DemoOptions options;
  options.model = arguments.model ? fs::path(*arguments.model) : gui::default_model_folder();
  if (options.model.empty()) {
    return engine::bad_input(
        "demo: the default model is not set up; run scripts/run once, or give --model DIR");
  }
  options.prompt = gui::sample_trace_path().replace_extension(".txt");
  if (!fs::exists(options.prompt))
    return engine::bad_input("demo: its text, assets/sample/needle.txt, is missing");
  return options;
}

gui::ApplicationOptions look() {
  gui::ApplicationOptions options;
  options.welcome = false;
  options.layout = "inspect";
  return options;
}

engine::Status play_on_display(gui::DemoOptions options) {
  auto host = gui::Host::create({});
  if (!host) return host.error();
  options.traces = gui::traces_folder();
  gui::Workbench bench([&host] { (*host)->wake(); });
  gui::Application application(**host, bench, look());
  gui::DemoPlayer player(std::move(options), bench, application);
  application.set_overlay([&](gui::Ui& ui) { gui::draw_caption(ui, player.caption()); });
  const InterruptWatch interrupt;
  const std::stop_callback wakes(interrupt.token(), [&host] { (*host)->wake(); });
  double last = gui::clock_seconds();
  while ((*host)->wait_for_frame() && !interrupt.interrupted() && !player.over()) {
    const double now = gui::clock_seconds();
    if (auto moved = player.advance(now - last); !moved) return moved;
    last = now;
    application.frame();
    (*host)->pacer().set_continuous(true);
  }
  // The window stays, with the last run in it.
  application.set_overlay({});
  while ((*host)->wait_for_frame() && !interrupt.interrupted()) application.frame();
  return {};
}

engine::Status write_frames(gui::DemoOptions options, const DemoArguments& arguments, Console& console) {
  const fs::path folder = *arguments.out;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder)) {
    return engine::bad_input("--out: cannot create the folder '{}'{}{}", folder.string(), error ? ": " : "",
                             error ? error.message() : "");
  }
  gui::HostOptions host_options;
  host_options.kind = gui::HostKind::offscreen;
  auto host = gui::Host::create(host_options);
  if (!host) return host.error();
  options.wait_for_engine = true;
  options.traces = folder;
  gui::Workbench bench({});
  gui::Application application(**host, bench, look());
  gui::DemoPlayer player(std::move(options), bench, application);
  application.set_overlay([&](gui::Ui& ui) { gui::draw_caption(ui, player.caption()); });
  Progress progress(!arguments.quiet && console.err_is_terminal());
  const auto frames = static_cast<int>(gui::kDemoSeconds) * arguments.frames_per_second;
  const InterruptWatch interrupt;
  for (int frame = 0; frame < frames; ++frame) {
    if (interrupt.interrupted()) {
      return engine::Error{engine::ErrorCode::interrupted,
                           fmt::format("interrupted; {} holds {} frames", folder.string(), frame)};
    }
    progress.show("demo", frame, frames);
    if (auto moved = player.advance(1.0 / arguments.frames_per_second); !moved) return moved;
    application.frame();
    auto picture = (*host)->read_pixels();
    if (!picture) return picture.error();
    if (auto written = gui::write_png(folder / fmt::format("frame-{:04}.png", frame), *picture); !written)
      return written;
    // Each scene's caption as it ended, with all that was measured by then.
    const double next = player.clock() + 1.0 / arguments.frames_per_second;
    const bool ends = frame + 1 == frames || gui::scene_at(next) != gui::scene_at(player.clock());
    if (!ends || arguments.quiet) continue;
    progress.clear();
    const gui::DemoCaption caption = player.caption();
    console.print(fmt::format("{:5.1f} s  {}\n         {}\n", player.clock(), caption.title, caption.text));
  }
  return {};
}

}  // namespace

engine::Status run_demo(Arguments arguments, Console& console) {
  DemoArguments options;
  CLI::App command("Sixty seconds that show what DMScope does, on the default model.", "dmscope demo");
  command.add_option("--out", options.out, "Writes its frames into a folder; needs no display")
      ->type_name("DIR");
  command
      .add_option("--model", options.model, "A checkpoint with learned gates (default: the default model)")
      ->type_name("DIR");
  add_integer(command, "--fps", options.frames_per_second, 1, 60,
              "Frames per second with --out (default 10)");
  command.add_flag("--quiet", options.quiet, "No captions, no progress");
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};
  auto demo = demo_options(options);
  if (!demo) return demo.error();
  return options.out ? write_frames(std::move(*demo), options, console) : play_on_display(std::move(*demo));
}

}  // namespace app
