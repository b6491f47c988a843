#include "app/gui/widgets/texture.hpp"

#include <imgui_internal.h>

#include <algorithm>
#include <utility>

namespace app::gui {

namespace {

// The list for the renderers is made at the start of a frame and would keep its address until the next.
void forget(ImTextureData& texture) {
  ImGui::UnregisterUserTexture(&texture);
  ImGui::GetPlatformIO().Textures.find_erase(&texture);
}

}  // namespace

Texture::Texture() = default;

Texture::~Texture() {
  retire();
  if (ImGui::GetCurrentContext() == nullptr) return;
  for (const auto& texture : retired_) forget(*texture);
}

void Texture::retire() {
  if (!data_) return;
  data_->WantDestroyNextFrame = true;
  data_->UnusedFrames = 0;
  retired_.push_back(std::move(data_));
}

// A frame may still draw it: the renderer's copy goes in the frame after, our own when that is done.
void Texture::free_retired() {
  for (const auto& texture : retired_) {
    if (texture->UnusedFrames++ > 0 && texture->Status != ImTextureStatus_Destroyed) {
      texture->SetStatus(texture->TexID == ImTextureID_Invalid ? ImTextureStatus_Destroyed
                                                               : ImTextureStatus_WantDestroy);
    }
    if (texture->Status == ImTextureStatus_Destroyed) forget(*texture);
  }
  std::erase_if(retired_, [](const auto& texture) { return texture->Status == ImTextureStatus_Destroyed; });
}

void Texture::resize(int width, int height) {
  free_retired();
  width = std::clamp(width, 1, kMaxSide);
  height = std::clamp(height, 1, kMaxSide);
  if (data_ && data_->Width == width && data_->Height == height) return;
  retire();
  data_ = std::make_unique<ImTextureData>();
  data_->Create(ImTextureFormat_RGBA32, width, height);
  data_->UseColors = true;
  ImGui::RegisterUserTexture(data_.get());
}

int Texture::width() const {
  return !data_ ? 0 : data_->Width;
}
int Texture::height() const {
  return !data_ ? 0 : data_->Height;
}

std::span<std::uint32_t> Texture::pixels() {
  if (!data_) return {};
  const auto count = static_cast<std::size_t>(data_->Width) * static_cast<std::size_t>(data_->Height);
  return {static_cast<std::uint32_t*>(data_->GetPixels()), count};
}

void Texture::changed() {
  if (!data_ || data_->Status == ImTextureStatus_WantCreate) return;
  const ImTextureRect whole{0, 0, static_cast<unsigned short>(data_->Width),
                            static_cast<unsigned short>(data_->Height)};
  data_->Updates.resize(0);
  data_->Updates.push_back(whole);
  data_->UpdateRect = data_->UsedRect = whole;
  data_->SetStatus(ImTextureStatus_WantUpdates);
}

ImTextureRef Texture::id() const {
  return data_->GetTexRef();
}

void add_image_nearest(ImDrawList& list, const Texture& texture, ImVec2 low, ImVec2 high, ImVec2 uv_low,
                       ImVec2 uv_high) {
  if (texture.width() == 0) return;
  const ImGuiPlatformIO& platform = ImGui::GetPlatformIO();
  if (platform.DrawCallback_SetSamplerNearest != nullptr) {
    list.AddCallback(platform.DrawCallback_SetSamplerNearest, nullptr);
  }
  list.AddImage(texture.id(), low, high, uv_low, uv_high);
  if (platform.DrawCallback_SetSamplerLinear != nullptr) {
    list.AddCallback(platform.DrawCallback_SetSamplerLinear, nullptr);
  }
}

}  // namespace app::gui
