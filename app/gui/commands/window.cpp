#include "app/gui/commands/window.hpp"

#include <optional>
#include <string>

#include "app/gui/shell/application.hpp"

namespace app {

namespace {

engine::Status show_window() {
  auto host = gui::Host::create({});
  if (!host) return host.error();
  gui::ApplicationOptions options;
  options.settings_folder = gui::settings_folder();
  gui::Application application(**host, std::move(options));
  while ((*host)->wait_for_frame()) application.frame();
  return application.save();
}

}  // namespace

engine::Status run_window(Arguments arguments, Console& console) {
  std::optional<std::string> model, prompt;
  CLI::App command("The window.", "dmscope");
  command.add_option("--model", model, "A checkpoint folder")->type_name("DIR");
  command.add_option("--prompt", prompt, "What to ask it")->type_name("TEXT");
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};
  if (model || prompt)
    return engine::bad_input(
        "{}: a live run in the window is not built in this version, use 'dmscope record'",
        model ? "--model" : "--prompt");
  return show_window();
}

}  // namespace app
