;; Asks the host's `verify_signature` with a request's body, and answers with what it says:
;; the status is 200 plus the status of the call, the body its result.
(module
  (import "env" "proxy_get_buffer_bytes"
    (func $buffer (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_call_foreign_function"
    (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response"
    (func $answer (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 16)
  ;; 0: request, its length, result, its length; 16: name of the function; 32: no headers.
  (data (i32.const 16) "verify_signature")
  (global $next (mut i32) (i32.const 65536))
  (func (export "_initialize"))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get $size))))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (global.set $next (i32.const 65536))
    i32.const 1)
  (func (export "proxy_on_request_body") (param $context i32) (param $size i32) (param $end i32) (result i32)
    (local $status i32)
    (if (i32.eqz (local.get $end)) (then (return (i32.const 1))))
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 16))
    (drop (call $buffer (i32.const 0) (i32.const 0) (local.get $size) (i32.const 0) (i32.const 4)))
    (local.set $status (call $call
      (i32.const 16) (i32.const 16)
      (i32.load (i32.const 0)) (i32.load (i32.const 4))
      (i32.const 8) (i32.const 12)))
    (drop (call $answer
      (i32.add (i32.const 200) (local.get $status)) (i32.const 0) (i32.const 0)
      (i32.load (i32.const 8)) (i32.load (i32.const 12))
      (i32.const 32) (i32.const 4) (i32.const -1)))
    i32.const 1)
  (func (export "proxy_on_done") (param i32) (result i32) i32.const 1)
  (func (export "proxy_on_delete") (param i32)))
