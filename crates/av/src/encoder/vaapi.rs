//! Pictures in the memory of a VA-API device.

use std::ptr;

use ffmpeg_next::ffi;
use ffmpeg_next::{Error as LibavError, frame};

/// Surfaces that libav keeps ready: what an encoder holds back for reordering, and a few in work.
const SURFACES: i32 = 20;

/// A pool of surfaces on the default device.
pub(super) struct Surfaces {
    frames: *mut ffi::AVBufferRef,
}

// SAFETY: the reference is owned, and libav's buffers may be used from any thread, one at a time.
unsafe impl Send for Surfaces {}

impl Surfaces {
    /// Opens the default device, with surfaces of two planes.
    pub(super) fn open(width: u32, height: u32) -> Result<Self, LibavError> {
        // SAFETY: null stands for the default device and for no options; what libav answers is checked, and each
        // reference is given back once: the pool keeps one of the device for itself.
        unsafe {
            let mut device = ptr::null_mut();
            let kind = ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_VAAPI;
            checked(ffi::av_hwdevice_ctx_create(&raw mut device, kind, ptr::null(), ptr::null_mut(), 0))?;
            let frames = ffi::av_hwframe_ctx_alloc(device);
            ffi::av_buffer_unref(&raw mut device);
            if frames.is_null() {
                return Err(LibavError::Unknown);
            }
            let surfaces = Self { frames };
            let context = (*frames).data.cast::<ffi::AVHWFramesContext>();
            (*context).format = ffi::AVPixelFormat::AV_PIX_FMT_VAAPI;
            (*context).sw_format = ffi::AVPixelFormat::AV_PIX_FMT_NV12;
            (*context).width = i32::try_from(width).unwrap_or(0);
            (*context).height = i32::try_from(height).unwrap_or(0);
            (*context).initial_pool_size = SURFACES;
            checked(ffi::av_hwframe_ctx_init(frames))?;
            Ok(surfaces)
        }
    }

    /// Tells an encoder that is not open yet where its pictures are.
    pub(super) fn attach(&self, encoder: &mut ffmpeg_next::codec::encoder::video::Video) {
        // SAFETY: the encoder takes a reference of its own and gives it back when it is freed.
        unsafe { (*encoder.as_mut_ptr()).hw_frames_ctx = ffi::av_buffer_ref(self.frames) };
    }

    /// A copy of `picture` on the device, with its times.
    pub(super) fn upload(&self, picture: &ffmpeg_next::Frame) -> Result<frame::Video, LibavError> {
        let mut uploaded = frame::Video::empty();
        // SAFETY: both frames are owned or borrowed during the calls; the fresh one gets a surface of the pool.
        unsafe {
            checked(ffi::av_hwframe_get_buffer(self.frames, uploaded.as_mut_ptr(), 0))?;
            checked(ffi::av_hwframe_transfer_data(uploaded.as_mut_ptr(), picture.as_ptr(), 0))?;
            checked(ffi::av_frame_copy_props(uploaded.as_mut_ptr(), picture.as_ptr()))?;
        }
        Ok(uploaded)
    }
}

impl Drop for Surfaces {
    fn drop(&mut self) {
        // SAFETY: the one reference that this holds.
        unsafe { ffi::av_buffer_unref(&raw mut self.frames) };
    }
}

fn checked(result: i32) -> Result<(), LibavError> {
    if result < 0 { Err(LibavError::from(result)) } else { Ok(()) }
}
