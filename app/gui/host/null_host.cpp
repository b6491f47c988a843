#include "app/gui/host/null_host.hpp"

#include <imgui.h>

namespace app::gui {

NullHost::NullHost(const HostOptions& options)
    : Host(HostKind::null, false), width_(options.width), height_(options.height) {
  ImGuiIO& io = ImGui::GetIO();
  io.BackendFlags |= ImGuiBackendFlags_RendererHasVtxOffset | ImGuiBackendFlags_RendererHasTextures;
  renderer_ = "no OpenGL";
}

NullHost::~NullHost() {
  for (ImTextureData* texture : ImGui::GetPlatformIO().Textures) {
    texture->SetTexID(ImTextureID_Invalid);
    texture->SetStatus(ImTextureStatus_Destroyed);
  }
}

void NullHost::resize(int width, int height) {
  width_ = width;
  height_ = height;
}

void NullHost::new_platform_frame() {
  ImGuiIO& io = ImGui::GetIO();
  io.DisplaySize = {static_cast<float>(width_), static_cast<float>(height_)};
  io.DeltaTime = static_cast<float>(FramePacer::kShortestFrame);
}

void NullHost::render() {
  const ImDrawData* data = ImGui::GetDrawData();
  if (data->Textures == nullptr) return;
  for (ImTextureData* texture : *data->Textures) {
    if (texture->Status == ImTextureStatus_WantDestroy) {
      texture->SetTexID(ImTextureID_Invalid);
      texture->SetStatus(ImTextureStatus_Destroyed);
    } else if (texture->Status != ImTextureStatus_OK) {
      texture->SetTexID(static_cast<ImTextureID>(texture->UniqueID + 1));
      texture->SetStatus(ImTextureStatus_OK);
    }
  }
}

}  // namespace app::gui
