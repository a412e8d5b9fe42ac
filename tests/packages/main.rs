//! What is handed out: the tar file, the `.deb`, the image and the example for Kubernetes, made from the binaries of
//! this build, installed, run and taken away again. Made on Linux only.

#[cfg(target_os = "linux")]
mod deb;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod kubernetes;
#[cfg(target_os = "linux")]
mod made;
#[cfg(target_os = "linux")]
mod tar;
