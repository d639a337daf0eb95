#!/usr/bin/env python3
"""The model in plain PyTorch, as fast as eager PyTorch runs it: the peer of tests/bench/{encode,train}.c.

peer_torch.py encode|train --type f32|bf16|autocast [--size base] [--batch 8] [--threads 2] [--compile] [--device cpu|cuda]
Speaks the protocol of run.py: prints "ready", then for each line read one repetition and its seconds.
  f32       float32 throughout
  bf16      weights and activations bfloat16 (encode only)
  autocast  float32 weights, bfloat16 autocast
"""
import argparse
import copy
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

SIZES = {"tiny": (192, 12, 3), "small": (384, 12, 6), "base": (768, 12, 12)}
GRID = (5, 50)


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d)
        x = x + self.proj(y)
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


def positions(dim):
    omega = 1.0 / 10000 ** (torch.arange(dim // 4, dtype=torch.float64) / (dim / 4))

    def encode(p):
        a = p.reshape(-1, 1) * omega
        return torch.cat([a.sin(), a.cos()], 1)

    row, col = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in GRID), indexing="ij")
    return torch.cat([encode(col), encode(row)], 1).float()


class Encoder(nn.Module):
    def __init__(self, dim, depth, heads):
        super().__init__()
        self.patch = nn.Conv2d(1, dim, 16, 16)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.register_buffer("pos", positions(dim))

    def forward(self, mel):
        x = self.patch(mel).flatten(2).transpose(1, 2) + self.pos.to(mel.dtype)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class Predictor(nn.Module):
    def __init__(self, dim, hidden=1024, classes=4):
        super().__init__()
        self.source = nn.Embedding(classes, dim)
        dims = [2 * dim] + [hidden] * 5 + [dim]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(dims[:-1], dims[1:]))
        self.norm = nn.LayerNorm(dim)

    def forward(self, z, source):
        x = torch.cat([z, self.source(source)[:, None].expand(-1, z.shape[1], -1)], -1)
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i + 1 < len(self.layers):
                x = F.relu(x)
        return self.norm(x)


def loss(prediction, target):
    target = F.layer_norm(target, target.shape[-1:])
    return (2 - 2 * F.cosine_similarity(prediction, target, dim=-1)).mean()


def encode_step(a):
    encoder = Encoder(*SIZES[a.size]).eval().to(a.device)
    mel = torch.randn(a.batch, 1, 80, 800, device=a.device)
    if a.type == "bf16":
        encoder, mel = encoder.bfloat16(), mel.bfloat16()
    run = torch.compile(encoder) if a.compile else encoder

    def step():
        with torch.inference_mode(), torch.autocast(a.device, dtype=torch.bfloat16, enabled=a.type == "autocast"):
            run(mel)
    return step


def train_step(a):
    dim = SIZES[a.size][0]
    encoder, predictor = Encoder(*SIZES[a.size]).to(a.device), Predictor(dim).to(a.device)
    target = copy.deepcopy(encoder).requires_grad_(False)
    params = list(encoder.parameters()) + list(predictor.parameters())
    adamw = torch.optim.AdamW(params, lr=3e-6, betas=(0.9, 0.95), weight_decay=0.05, fused=True)
    mel, other = (torch.randn(a.batch, 1, 80, 800, device=a.device) for _ in range(2))
    source = torch.randint(4, (a.batch,), device=a.device)
    nets = [torch.compile(n) if a.compile else n for n in (encoder, predictor, target)]

    def step():
        with torch.autocast(a.device, dtype=torch.bfloat16, enabled=a.type == "autocast"):
            prediction = nets[1](nets[0](mel), source)
            with torch.no_grad():
                wanted = nets[2](other)
        adamw.zero_grad(set_to_none=True)
        loss(prediction.float(), wanted.float()).backward()
        torch.nn.utils.clip_grad_norm_(params, 3.0, foreach=True)
        adamw.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(target.parameters()), list(encoder.parameters()), 5e-5)
    return step


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("what", choices=("encode", "train"))
    ap.add_argument("--type", choices=("f32", "bf16", "autocast"), required=True)
    ap.add_argument("--size", default="base")
    ap.add_argument("--batch", type=int, default=8)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--compile", action="store_true")
    ap.add_argument("--device", default="cpu")
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    once = encode_step(a) if a.what == "encode" else train_step(a)

    def step():
        once()
        if a.device != "cpu":
            torch.cuda.synchronize()

    for _ in range(2 if a.device == "cpu" else 8):
        step()
    print("ready", flush=True)
    for _ in sys.stdin:
        t = time.perf_counter()
        step()
        print(f"{time.perf_counter() - t:.6f}", flush=True)


if __name__ == "__main__":
    main()
