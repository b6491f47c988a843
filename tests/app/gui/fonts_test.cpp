#include "app/gui/fonts/fonts.hpp"

#include <imgui.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

#include "app/gui/shell/application.hpp"

using namespace app::gui;

namespace {

// A letter each of Hebrew, Arabic, Hindi, Thai, Chinese, Japanese and Korean, a sign, and a face.
constexpr std::array<ImWchar, 9> kSamples{0x05D0, 0x0634, 0x0905, 0x0E01, 0x4E2D,
                                          0x3042, 0xD55C, 0x2654, 0x1F600};
constexpr std::array kFaces{Face::ui, Face::ui_strong, Face::ui_bold, Face::mono, Face::mono_strong};

std::unique_ptr<Host> make_host(HostKind kind) {
  HostOptions options;
  options.kind = kind;
  options.width = 320;
  options.height = 200;
  auto host = Host::create(options);
  if (!host && host.error().message.find("EGL") != std::string::npos) SKIP(host.error().message);
  REQUIRE(host);
  return std::move(*host);
}

}  // namespace

TEST_CASE("A picture shows the scripts that the system has fonts for, as a window does") {
  const auto host = make_host(HostKind::offscreen);
  Workbench bench({});
  Application application(*host, bench, {});
  // Nothing is installed on some machines: then neither has any.
  const Fonts system(system_fallback_fonts());
  for (const ImWchar sample : kSamples) {
    for (const Face face : kFaces) {
      CAPTURE(static_cast<unsigned>(sample), static_cast<int>(face));
      CHECK(application.ui().fonts()[face]->IsGlyphInFont(sample) == system[face]->IsGlyphInFont(sample));
    }
  }
}

TEST_CASE("Without fonts of the system its own letters are there, and others are drawn as a sign") {
  const auto host = make_host(HostKind::null);
  const Fonts fonts({});
  CHECK(fonts.problems().empty());
  for (const Face face : kFaces) {
    CHECK(fonts[face]->IsGlyphInFont('g'));
    CHECK(fonts[face]->IsGlyphInFont(0x03B8));  // θ
    CHECK_FALSE(fonts[face]->IsGlyphInFont(0x05D0));
  }
  host->begin_frame();
  {
    const FontScope font(fonts, Face::ui, 13);
    CHECK(ImGui::CalcTextSize("\u05D0\u4E2D\U0001F600").x > 0);
    ImGui::GetForegroundDrawList()->AddText({0, 0}, IM_COL32_WHITE, "\u05D0\u4E2D\U0001F600");
  }
  host->end_frame();
}

TEST_CASE("A font that is missing or is no font is named and left out") {
  const auto host = make_host(HostKind::null);
  const auto path = std::filesystem::temp_directory_path() / "dmscope-no-font.ttf";
  std::ofstream(path) << "no font";
  const Fonts fonts({"/no/such/font.ttf", path.string()});
  REQUIRE(fonts.problems().size() == 2);
  CHECK(fonts.problems()[0].find("/no/such/font.ttf") != std::string::npos);
  CHECK(fonts.problems()[1].find(path.string()) != std::string::npos);
  CHECK(fonts[Face::ui]->IsGlyphInFont('g'));
  std::filesystem::remove(path);
}
