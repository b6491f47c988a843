// Running again what is shown, with other settings.
#pragma once

#include <filesystem>
#include <string>

#include "app/gui/workbench/workbench.hpp"

namespace app::gui {

// The options of the run shown: what a live one was asked for, or what a trace says of itself.
RunOptions rerun_options(const Workbench& bench);

// Where a re-run is recorded: beside the run it repeats, or with the window's own recordings where that came
// from a trace. Empty: nowhere, as the run it repeats.
std::filesystem::path rerun_traces(const Workbench& bench);

// Where the run's model is: loaded, loading, a folder that can be loaded, or why not.
struct RerunModel {
  bool loaded = false;  // or being loaded
  std::filesystem::path folder;
  std::string reason;  // why there is neither, for people
};
RerunModel rerun_model(const Workbench& bench);

}  // namespace app::gui
