// Font Awesome 6 code points that the window uses, as UTF-8.
#pragma once

namespace app::gui::icon {

inline constexpr const char* kPlay = "\uf04b";
inline constexpr const char* kPause = "\uf04c";
inline constexpr const char* kStepBack = "\uf048";
inline constexpr const char* kStepForward = "\uf051";
inline constexpr const char* kRecord = "\uf111";
inline constexpr const char* kStop = "\uf04d";
inline constexpr const char* kChip = "\uf2db";
inline constexpr const char* kFolder = "\uf07b";
inline constexpr const char* kFolderOpen = "\uf07c";
inline constexpr const char* kFile = "\uf15b";
inline constexpr const char* kCheck = "\uf00c";
inline constexpr const char* kWarning = "\uf071";
inline constexpr const char* kError = "\uf06a";
inline constexpr const char* kInfo = "\uf05a";
inline constexpr const char* kSearch = "\uf002";
inline constexpr const char* kFilter = "\uf0b0";
inline constexpr const char* kClose = "\uf00d";
inline constexpr const char* kEllipsis = "\uf141";
inline constexpr const char* kPin = "\uf08d";
inline constexpr const char* kCaretDown = "\uf0d7";
inline constexpr const char* kArrowUp = "\uf062";
inline constexpr const char* kCamera = "\uf030";

}  // namespace app::gui::icon
