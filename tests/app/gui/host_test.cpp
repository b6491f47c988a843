#include "app/gui/host/host.hpp"

#include <imgui.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/gui/shell/application.hpp"
#include "app/gui/widgets/texture.hpp"

using namespace app::gui;

namespace {

std::unique_ptr<Host> offscreen(int width, int height) {
  HostOptions options;
  options.kind = HostKind::offscreen;
  options.width = width;
  options.height = height;
  auto host = Host::create(options);
  if (!host) {
    if (host.error().message.find("EGL") == std::string::npos) FAIL(host.error().message);
    SKIP(host.error().message);
  }
  return std::move(*host);
}

bool has_color(const Image& image, int x, int y, int red, int green, int blue) {
  const std::uint8_t* pixel = image.pixel(x, y);
  return pixel[0] == red && pixel[1] == green && pixel[2] == blue;
}

}  // namespace

TEST_CASE("An off-screen host draws what it is told, the right way up") {
  const auto host = offscreen(64, 32);
  host->begin_frame();
  ImGui::GetForegroundDrawList()->AddRectFilled({0, 0}, {64, 32}, IM_COL32(10, 20, 30, 255));
  ImGui::GetForegroundDrawList()->AddRectFilled({40, 4}, {60, 12}, IM_COL32(200, 100, 50, 255));
  host->end_frame();
  const auto image = host->read_pixels();
  REQUIRE(image);
  CHECK(image->width == 64);
  CHECK(image->height == 32);
  CHECK(has_color(*image, 1, 1, 10, 20, 30));
  CHECK(has_color(*image, 50, 8, 200, 100, 50));
  CHECK(has_color(*image, 50, 24, 10, 20, 30));
}

TEST_CASE("A texture shows its pixels with hard edges, after every change") {
  const auto host = offscreen(64, 64);
  Texture texture;
  const auto draw = [&](ImU32 left, ImU32 right, int width) {
    texture.resize(width, 1);
    for (int x = 0; x < width; ++x)
      texture.pixels()[static_cast<std::size_t>(x)] = x < width / 2 ? left : right;
    texture.changed();
    host->begin_frame();
    add_image_nearest(*ImGui::GetForegroundDrawList(), texture, {0, 0}, {64, 64});
    host->end_frame();
    auto image = host->read_pixels();
    REQUIRE(image);
    return *image;
  };
  for (const int width : {2, 2, 8, 4, 8}) {
    const Image image = draw(IM_COL32(255, 0, 0, 255), IM_COL32(0, 0, 255, 255), width);
    CHECK(has_color(image, 31, 10, 255, 0, 0));
    CHECK(has_color(image, 32, 10, 0, 0, 255));
  }
  CHECK(has_color(draw(IM_COL32(0, 255, 0, 255), IM_COL32(0, 0, 255, 255), 8), 5, 5, 0, 255, 0));
}

TEST_CASE("The same window is drawn twice as the same picture") {
  const auto picture = [] {
    const auto host = offscreen(1280, 720);
    Workbench bench({});
    Application application(*host, bench, {});
    for (int frame = 0; frame < 4; ++frame) application.frame();
    auto image = host->read_pixels();
    REQUIRE(image);
    return *image;
  };
  const Image first = picture();
  CHECK(first.rgba == picture().rgba);
  const Color background = make_theme(ThemeKind::dark, Palette::blue_orange)[Role::app];
  CHECK(has_color(first, 10, 400, background.red, background.green, background.blue));
}

TEST_CASE("A picture of an absurd size is refused") {
  for (const auto& [width, height] : {std::pair{0, 10}, std::pair{10, -1}, std::pair{100000, 10}}) {
    HostOptions options;
    options.kind = HostKind::offscreen;
    options.width = width;
    options.height = height;
    CHECK_FALSE(Host::create(options));
  }
}

TEST_CASE("A window without a display says what works instead") {
  unsetenv("DISPLAY");
  unsetenv("WAYLAND_DISPLAY");
  unsetenv("WAYLAND_SOCKET");
  const auto host = Host::create({});
  REQUIRE_FALSE(host);
  CHECK(host.error().message.find("dmscope shot") != std::string::npos);
}

TEST_CASE("The smallest window and the largest scale draw without harm") {
  HostOptions options;
  options.kind = HostKind::null;
  for (const auto& [width, height, scale] : {std::tuple{1, 1, 4.0}, std::tuple{64, 64, 3.0},
                                             std::tuple{640, 60, 1.0}, std::tuple{7000, 5000, 0.75}}) {
    options.width = width;
    options.height = height;
    auto host = Host::create(options);
    REQUIRE(host);
    for (const char* layout : {"", "inspect"}) {
      ApplicationOptions application_options;
      application_options.settings.scale = scale;
      application_options.layout = layout;
      application_options.welcome = layout[0] == '\0';
      Workbench bench({});
      Application application(**host, bench, std::move(application_options));
      for (int frame = 0; frame < 3; ++frame) application.frame();
    }
  }
}

TEST_CASE("A host that draws nothing has no picture") {
  HostOptions options;
  options.kind = HostKind::null;
  const auto host = Host::create(options);
  REQUIRE(host);
  CHECK_FALSE((*host)->read_pixels());
}

TEST_CASE("A PNG has the signature, size and checksums of one") {
  Image image{3, 2, {}};
  for (int index = 0; index < 24; ++index) image.rgba.push_back(static_cast<std::uint8_t>(index * 10));
  const auto png = encode_png(image);
  REQUIRE(png);
  REQUIRE(png->size() > 57);
  CHECK(std::memcmp(png->data(), "\x89PNG\r\n\x1a\n", 8) == 0);
  CHECK((*png)[19] == std::byte{3});
  CHECK((*png)[23] == std::byte{2});
  CHECK(std::memcmp(png->data() + png->size() - 8, "IEND\xae\x42\x60\x82", 8) == 0);
  CHECK_FALSE(encode_png({}));
}

TEST_CASE("A crop stays inside its picture") {
  Image image{4, 3, std::vector<std::uint8_t>(48, 7)};
  CHECK(crop(image, -2, -2, 4, 4).width == 2);
  CHECK(crop(image, 3, 2, 100, 100).rgba.size() == 4);
  CHECK(crop(image, 10, 10, 5, 5).rgba.empty());
}
