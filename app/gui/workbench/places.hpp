// Where the window finds what set-up and this program's own assets put somewhere. Empty where it is not
// there.
#pragma once

#include <filesystem>
#include <string>

namespace app::gui {

// The DMS checkpoint that set-up made, in the cache folder.
std::filesystem::path default_model_folder();

// The sample trace, in the assets of a checkout or of an installation.
std::filesystem::path sample_trace_path();

// Where the window records its runs: $XDG_DATA_HOME/dmscope/traces. Empty without a home folder.
std::filesystem::path traces_folder();

// The local time for the name of a new file: "20261122-101500".
std::string file_stamp();

}  // namespace app::gui
