// fontconfig, if the machine has it: opened at run time, so that the program starts where it is missing.
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "app/gui/fonts/fonts.hpp"

namespace app::gui {

namespace {

// fontconfig's C interface, as far as it is needed.
constexpr int kMatchPattern = 0;
constexpr int kResultMatch = 0;

struct FontConfig {
  int (*init)() = nullptr;
  void* (*name_parse)(const unsigned char*) = nullptr;
  int (*substitute)(void*, void*, int) = nullptr;
  void (*default_substitute)(void*) = nullptr;
  void* (*font_match)(void*, void*, int*) = nullptr;
  int (*pattern_get_string)(void*, const char*, int, unsigned char**) = nullptr;
  void (*pattern_destroy)(void*) = nullptr;

  bool load(void* library) {
    const auto find = [library](auto& function, const char* name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(library, name));
      return function != nullptr;
    };
    return find(init, "FcInit") && find(name_parse, "FcNameParse") &&
           find(substitute, "FcConfigSubstitute") && find(default_substitute, "FcDefaultSubstitute") &&
           find(font_match, "FcFontMatch") && find(pattern_get_string, "FcPatternGetString") &&
           find(pattern_destroy, "FcPatternDestroy");
  }
};

std::string best_file(const FontConfig& fc, const char* query) {
  void* pattern = fc.name_parse(reinterpret_cast<const unsigned char*>(query));
  if (pattern == nullptr) return {};
  fc.substitute(nullptr, pattern, kMatchPattern);
  fc.default_substitute(pattern);
  int result = 0;
  void* match = fc.font_match(nullptr, pattern, &result);
  fc.pattern_destroy(pattern);
  if (match == nullptr) return {};
  unsigned char* file = nullptr;
  std::string path;
  if (fc.pattern_get_string(match, "file", 0, &file) == kResultMatch)
    path = reinterpret_cast<const char*>(file);
  fc.pattern_destroy(match);
  return path;
}

bool is_outline(const std::string& path) {
  constexpr std::array<std::string_view, 4> kEndings{".ttf", ".otf", ".ttc", ".otc"};
  return std::any_of(kEndings.begin(), kEndings.end(), [&](auto ending) { return path.ends_with(ending); });
}

}  // namespace

std::vector<std::string> system_fallback_fonts() {
  void* library = dlopen("libfontconfig.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) return {};
  std::vector<std::string> paths;
  FontConfig fc;
  if (fc.load(library) && fc.init() != 0) {
    // The scripts that language models write most, then symbols. Coloured emoji are bitmaps, which the
    // rasteriser cannot read; a monochrome one is taken if there is one.
    for (const char* query :
         {"sans:lang=zh-cn", "sans:lang=ja", "sans:lang=ko", "sans:lang=ar", "sans:lang=he", "sans:lang=hi",
          "sans:lang=th", "sans:lang=ru", "emoji:color=false", "sans:lang=en"}) {
      std::string path = best_file(fc, query);
      if (is_outline(path) && std::find(paths.begin(), paths.end(), path) == paths.end()) {
        paths.push_back(std::move(path));
      }
    }
  }
  // Kept open: fontconfig's own threads and caches outlive a call.
  return paths;
}

}  // namespace app::gui
