//! The device port over real sockets.

use super::*;
use crate::listener::{Bounds, serve_within};
use interop::mllp::wrap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const BOUNDS: Bounds = Bounds {
    connections: 2,
    stranger: Duration::from_millis(300),
    silence: Duration::from_secs(60),
    answer: Duration::from_millis(300),
};

fn port(clinic: &Clinic, bounds: Bounds) -> (Runtime, SocketAddr) {
    let runtime = Runtime::new().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a port");
    let address = listener.local_addr().expect("its address");
    let floor = Arc::clone(&clinic.floor);
    runtime.spawn(async move { match serve_within(bounds, listener, floor).await {} });
    (runtime, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).expect("a connection");
    socket.set_read_timeout(Some(Duration::from_secs(3))).expect("a limit");
    socket
}

/// The other side closed it, within the limit.
fn is_closed(socket: &mut TcpStream) -> bool {
    match socket.read(&mut [0; 64]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Hazard 18: a port that everybody may open is not held by those who say nothing.
#[test]
fn silent_strangers_are_closed_and_leave_the_places_to_devices() {
    let mut clinic = Clinic::new();
    let (_runtime, address) = port(&clinic, BOUNDS);
    let mut silent = [connect(address), connect(address)];
    assert!(is_closed(&mut connect(address)), "all places are taken");
    assert!(silent.iter_mut().all(is_closed));
    let mut device = connect(address);
    for _ in 0..2 {
        device.write_all(&wrap(&clinic.vitals(None, 97))).expect("sent");
        assert!(!is_closed(&mut device), "a device is answered");
        let (_wait, waited) = std::sync::mpsc::channel::<()>();
        // Longer than a stranger may be silent.
        let _ = waited.recv_timeout(2 * BOUNDS.stranger);
    }
    // Single bytes are no frame.
    let mut drip = connect(address);
    let closed = (0..30).any(|_| {
        let (_wait, waited) = std::sync::mpsc::channel::<()>();
        let _ = waited.recv_timeout(Duration::from_millis(100));
        drip.write_all(b"x").is_err()
    });
    assert!(closed);
}

/// A device that sends and never reads fills its own line, and only that.
#[test]
fn a_device_that_takes_no_answer_is_cut_off() {
    let mut clinic = Clinic::new();
    let (_runtime, address) = port(&clinic, BOUNDS);
    let mut deaf = connect(address);
    deaf.set_write_timeout(Some(Duration::from_secs(30))).expect("a limit");
    let frames = wrap(b"MSH|no").repeat(1_000);
    let cut = (0..20_000).find_map(|_| deaf.write_all(&frames).err());
    let cut = cut.expect("it is cut off").kind();
    assert!(matches!(cut, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{cut}");
    let bytes = clinic.vitals(None, 97);
    assert!(answered(&clinic.floor.take_frame(&bytes), "CA"));
}

/// The port as the program opens it: a monitor and a pump at each of 300 chairs, all silent but the last.
#[test]
fn a_large_room_finds_a_place_for_each_device() {
    let mut clinic = Clinic::new();
    let runtime = Runtime::new().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a port");
    let address = listener.local_addr().expect("its address");
    let floor = Arc::clone(&clinic.floor);
    runtime.spawn(async move { match crate::listener::serve(listener, floor).await {} });
    let mut devices: Vec<_> = (0..600).map(|_| connect(address)).collect();
    let last = devices.last_mut().expect("a device");
    last.write_all(&wrap(&clinic.vitals(None, 97))).expect("sent");
    assert!(!is_closed(last), "the last device is answered");
}
