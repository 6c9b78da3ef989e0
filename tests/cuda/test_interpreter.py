"""The interpreter itself: what it computes, and which faults it finds."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cuda.ptx.arithmetic import _directed, _fma
from tests.cuda.ptx.conversions import round_bf16, round_tf32
from tests.cuda.ptx.machine import Launch, Program
from tests.cuda.ptx.memory import Fault, Global

HEAD = """
.version 8.0
.target sm_80
.address_size 64
.visible .entry k( .param .u64 k_param_0 )
.maxntid 64, 1, 1
{
	.shared .align 16 .b8 tile[256];
	.reg .pred %p<8>;
	.reg .b32 %r<32>;
	.reg .f32 %f<16>;
	.reg .b64 %rd<8>;
	ld.param.u64 %rd1, [k_param_0];
	mov.u32 %r1, %tid.x;
	mul.wide.u32 %rd2, %r1, 4;
	add.s64 %rd3, %rd1, %rd2;
	shl.b32 %r2, %r1, 2;
"""
TAIL = "\n\tret;\n}\n"


def run(body: str, count: int = 64, threads: int = 64, blocks: int = 1, seed: int | None = None) -> np.ndarray:
    memory = Global(1 << 16)
    address = memory.allocate(4 * count)
    memory.view(address, 4 * count).view(np.uint32)[:] = np.arange(count)
    Launch(Program(HEAD + body + TAIL), memory, (blocks,), threads, [address], seed=seed).run()
    return memory.view(address, 4 * count).view(np.uint32).copy()


SWAP = """
	mov.u32 %r3, tile;
	add.s32 %r4, %r3, %r2;
	st.shared.u32 [%r4], %r1;
	bar.sync 0;
	xor.b32 %r5, %r2, 252;
	add.s32 %r6, %r3, %r5;
	ld.shared.u32 %r7, [%r6];
	st.global.u32 [%rd3], %r7;
"""


def test_a_loop_of_different_lengths_per_lane():
    body = """
	mov.u32 %r3, 0;
	mov.u32 %r4, 0;
$L__1:
	setp.ge.u32 %p1, %r4, %r1;
	@%p1 bra $L__2;
	add.s32 %r3, %r3, %r4;
	add.s32 %r4, %r4, 1;
	bra.uni $L__1;
$L__2:
	st.global.u32 [%rd3], %r3;
"""
    lanes = np.arange(64)
    np.testing.assert_array_equal(run(body), lanes * (lanes - 1) // 2)


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_values_cross_a_barrier(seed):
    np.testing.assert_array_equal(run(SWAP, seed=seed), np.arange(64)[::-1])


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_a_missing_barrier_is_found_in_any_order(seed):
    with pytest.raises(Fault, match="race in shared memory"):
        run(SWAP.replace("bar.sync 0;", ""), seed=seed)


def test_shared_memory_begins_as_nan():
    body = "mov.u32 %r3, tile; ld.shared.f32 %f1, [%r3]; st.global.f32 [%rd3], %f1;"
    assert np.isnan(run(body).view(np.float32)).all()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("st.global.u32 [%rd3+4], %r1;", "global access out of bounds"),
        ("st.global.u32 [%rd3+-4], %r1;", "global access out of bounds"),
        ("ld.global.v2.u32 {%r3,%r4}, [%rd3];", "misaligned load of 8 bytes"),
        ("cvt.u32.u64 %r3, %rd3; cvt.u64.u32 %rd4, %r3; ld.global.u32 %r4, [%rd4];", "global access out of bounds"),
        ("mov.u32 %r3, tile; ld.shared.u32 %r4, [%r3+256];", "shared access out of bounds"),
        ("add.s32 %r4, %r9, 1;", "read before it is written"),
        ("setp.gt.u32 %p1, %r1, 7; @%p1 bra $L__1; bar.sync 0; $L__1: mov.u32 %r3, 0;", "not all threads"),
        ("mov.u32 %r3, tile; add.s32 %r3, %r3, %r2; cp.async.ca.shared.global [%r3], [%rd3], 4, 8;", "takes 8 from"),
    ],
)
def test_faults_are_found(body, words):
    with pytest.raises(Fault, match=words):
        run(body)


COPY = """
	mov.u32 %r3, tile;
	add.s32 %r4, %r3, %r2;
	cp.async.ca.shared.global [%r4], [%rd3], 4, %SIZE;
	cp.async.commit_group;
	cp.async.wait_group %LEFT;
	ld.shared.u32 %r5, [%r4];
	add.s32 %r5, %r5, 1;
	st.global.u32 [%rd3], %r5;
"""


def test_an_asynchronous_copy_lands_when_waited_for():
    body = COPY.replace("%SIZE", "4").replace("%LEFT", "0")
    np.testing.assert_array_equal(run(body), np.arange(64) + 1)
    np.testing.assert_array_equal(run(COPY.replace("%SIZE", "0").replace("%LEFT", "0")), 1)
    np.testing.assert_array_equal(run(COPY.replace("%SIZE", "4").replace("%LEFT", "1")), 0)  # poison + 1


def test_fma_rounds_once():
    a = np.array([1 + 2**-12], np.float32)
    assert _fma(np.dtype(np.float32))(a, a, np.array([-1 - 2**-11], np.float32))[0] == 2**-24


def test_directed_rounding():
    one, tiny = np.array([1.0], np.float32), np.array([2.0**-30], np.float32)
    up = _directed("add", ("add", "rp", "f32"), np.dtype(np.float32))(one, tiny)
    assert up[0] == np.nextafter(np.float32(1), np.float32(2))
    down = _directed("add", ("add", "rz", "f32"), np.dtype(np.float32))(one, -tiny)
    assert down[0] == np.nextafter(np.float32(1), np.float32(0))


def test_tensor_core_roundings():
    tie = np.array([1 + 2**-11], np.float32)
    assert round_tf32(tie.view(np.uint32)).view(np.float32)[0] == 1 + 2**-10  # away from zero
    halves = np.array([1 + 2**-8, 1 + 3 * 2**-8, np.nan], np.float32)
    bits = (round_bf16(halves) << np.uint32(16)).view(np.float32)
    assert bits[:2].tolist() == [1, 1 + 2**-6]  # to even
    assert np.isnan(bits[2])


def _product(instruction: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Runs one matrix product whose fragments are words of memory: A, then B, 32 lanes each."""
    memory = Global(1 << 16)
    address = memory.allocate(4 * 32 * 10)
    memory.view(address, 4 * 32 * 6).view(np.uint32)[:] = np.concatenate([a, b]).reshape(-1)
    loads = "".join(f"ld.global.u32 %r{10 + i}, [%rd3+{128 * i}];\n" for i in range(6))
    body = f"""{loads}
	mov.f32 %f1, 0f3F800000;
	{instruction} {{%f2,%f3,%f4,%f5}}, {{%r10,%r11,%r12,%r13}}, {{%r14,%r15}}, {{%f1,%f1,%f1,%f1}};
	st.global.f32 [%rd3+768], %f2; st.global.f32 [%rd3+896], %f3;
	st.global.f32 [%rd3+1024], %f4; st.global.f32 [%rd3+1152], %f5;
"""
    Launch(Program(HEAD + body + TAIL), memory, (1,), 32, [address]).run()
    c, out = memory.view(address + 768, 512).view(np.float32).reshape(4, 32), np.empty((16, 8), np.float32)
    for lane in range(32):
        for i in range(4):
            out[lane // 4 + 8 * (i // 2), 2 * (lane % 4) + i % 2] = c[i, lane]
    return out


def test_matrix_product_of_tf32():
    rng = np.random.default_rng(1)
    a, b = rng.integers(-8, 9, (16, 8)).astype(np.float32), rng.integers(-8, 9, (8, 8)).astype(np.float32)
    lane = np.arange(32)
    left = np.stack([a[lane // 4 + row, lane % 4 + column] for row, column in ((0, 0), (8, 0), (0, 4), (8, 4))])
    right = np.stack([b[lane % 4 + row, lane // 4] for row in (0, 4)])
    instruction = "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"
    got = _product(instruction, left.view(np.uint32), right.view(np.uint32))
    np.testing.assert_array_equal(got, a @ b + 1)


def test_matrix_product_of_bf16():
    rng = np.random.default_rng(2)
    a, b = rng.integers(-8, 9, (16, 16)).astype(np.float32), rng.integers(-8, 9, (16, 8)).astype(np.float32)
    lane = np.arange(32)

    def pair(low, high):
        return round_bf16(low) | round_bf16(high) << np.uint32(16)

    left = np.stack([
        pair(a[lane // 4 + row, 2 * (lane % 4) + column], a[lane // 4 + row, 2 * (lane % 4) + column + 1])
        for row, column in ((0, 0), (8, 0), (0, 8), (8, 8))
    ])  # fmt: skip
    right = np.stack([
        pair(b[2 * (lane % 4) + row, lane // 4], b[2 * (lane % 4) + row + 1, lane // 4]) for row in (0, 8)
    ])  # fmt: skip
    got = _product("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", left, right)
    np.testing.assert_array_equal(got, a @ b + 1)


SOME_ROWS = """
	mov.u32 %r3, tile;
	and.b32 %r4, %r1, 15;
	shl.b32 %r5, %r4, 4;
	add.s32 %r6, %r3, %r5;
	setp.ge.u32 %p2, %r1, 16;
	@%p2 bra $L__0;
	st.shared.v4.u32 [%r6], {%r1,%r1,%r1,%r1};
$L__0:
	mov.u32 %r10, 7; mov.u32 %r11, 7; mov.u32 %r12, 7; mov.u32 %r13, 7;
	bar.sync 0;
	setp.ge.u32 %p1, %r1, %LIMIT;
	@%p1 bra $L__1;
	ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10,%r11,%r12,%r13}, [%r6];
$L__1:
	st.global.u32 [%rd3], %r10;
"""


def test_a_matrix_is_loaded_by_the_warps_that_come_there():
    values = run(SOME_ROWS.replace("%LIMIT", "32"))
    np.testing.assert_array_equal(values[:32], np.arange(32) // 4)
    np.testing.assert_array_equal(values[32:], 7)
    with pytest.raises(Fault, match="whole warp that not all its lanes carry out"):
        run(SOME_ROWS.replace("%LIMIT", "33"))
