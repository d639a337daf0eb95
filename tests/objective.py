"""objective.py DIR REFERENCE < lines of tests/step: the losses and gradients of one training step against PyTorch's
automatic differentiation of the reference's networks (stem_jepa.py in the folder REFERENCE), in float64. TAP."""
import json
import sys

import h5py
import numpy as np
import torch
import torch.nn.functional as F

folder, reference = sys.argv[1:3]
torch.set_num_threads(1)
sys.path.insert(0, reference)
import stem_jepa  # noqa: E402

B, T, DEPTH, HEADS = 6, 96, 2, 2
CLASS, GROUP = torch.tensor([0, 3, 1, 0, 0, 2]), torch.tensor([0, 1, 0, 2, 0, 3])
mel = torch.from_numpy(np.fromfile(f"{folder}/mel.f32", dtype=np.float32).reshape(2, B, 80, T)).double()


def read(path, part, grad=False):
    with h5py.File(path, "r") as f:
        names = []
        f[part].visititems(lambda n, d: names.append(n) if isinstance(d, h5py.Dataset) else None)
        return {n: torch.from_numpy(f[part][n][()]).double().requires_grad_(grad) for n in names}


plain_attention, plain_positions = stem_jepa.attention, stem_jepa.sincos_positions


def turned(x):
    """(b, heads, n, e): rotary positions of the grid of 5 frequencies, behind a token without a place if n % 5 is 1."""
    n, e = x.shape[-2:]
    lead, times = n % 5, n // 5
    k = torch.arange(n - lead)
    w = 10000.0 ** (-torch.arange(e // 4).double() / (e // 4))
    angle = torch.cat([(k % times)[:, None] * w, (k // times)[:, None] * w], 1)
    angle = torch.cat([torch.zeros(lead, e // 2).double(), angle])
    z = torch.complex(x[..., : e // 2], x[..., e // 2:]) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([z.real, z.imag], -1)


def rotary_attention(x, w, prefix, heads):
    b, n, d = x.shape
    qkv = F.linear(x, w[prefix + "qkv.weight"], w[prefix + "qkv.bias"])
    q, k, v = qkv.reshape(b, n, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
    a = torch.softmax(turned(q) @ turned(k).transpose(-1, -2) / (d // heads) ** 0.5, dim=-1)
    return F.linear((a @ v).transpose(1, 2).reshape(b, n, d), w[prefix + "proj.weight"], w[prefix + "proj.bias"])


def set_positions(rotary):
    stem_jepa.attention = rotary_attention if rotary else plain_attention
    stem_jepa.sincos_positions = (lambda d, *grid: torch.zeros(*grid, d)) if rotary else plain_positions


def predict_film(z, w):
    """As mlp_none, with every hidden layer scaled and shifted before its ReLU as the class says."""
    film = F.linear(w["source_embed.weight"][CLASS], w["film.weight"], w["film.bias"])
    layers = sorted({int(k.split(".")[1]) for k in w if k.startswith("blocks.")})
    for i in layers[:-1]:
        z = F.linear(z, w[f"blocks.{i}.weight"], w[f"blocks.{i}.bias"])
        scale, shift, film = film.tensor_split([z.shape[-1], 2 * z.shape[-1]], dim=1)
        z = F.relu(z * (1 + scale[:, None, None]) + shift[:, None, None])
    z = F.linear(z, w[f"blocks.{layers[-1]}.weight"], w[f"blocks.{layers[-1]}.bias"])
    return stem_jepa.layer_norm(z, w, "norm.")


def predict(name, z, w):
    if "source_vector" in w:
        table = F.linear(w["source_vector"], w["source_map.weight"], w["source_map.bias"])
        w = {**w, "source_embed.weight": table}
    if name == "transformer":
        return stem_jepa.predict_transformer(z, CLASS, w, DEPTH, HEADS)
    if name == "mlp_film":
        return predict_film(z, w)
    return stem_jepa.predict_mlp(z, CLASS, w, conditioned=name == "mlp")


def pooled(z, windows):
    """(b, 5, t, d) -> (windows, b, 5 d), as the retrieval compares."""
    v = z.unflatten(2, (windows, -1)).mean(3).permute(2, 0, 1, 3).flatten(2)
    return F.normalize(F.layer_norm(v, v.shape[-1:], eps=0), dim=-1)


def term(p, t, row):
    told = row["predictor"] != "mlp_none" and not row["alone"]
    group = GROUP[:B // row["targets"]].repeat(row["targets"])
    same = (group[:, None] == group) & ((CLASS[:, None] == CLASS) | (not told))
    weight = torch.where(CLASS[:, None] == CLASS, 1.0, row["other"]).double()
    weight[same] = 0
    weight.fill_diagonal_(1)
    windows = T // row["window"] if row["window"] else 1
    losses, firsts = [], []
    for u, v in zip(pooled(p, windows), pooled(t, windows)):
        q = u @ v.T / row["temperature"] + weight.log()
        losses += [F.cross_entropy(x, torch.arange(B)) for x in ([q, q.T] if row["two_sided"] else [q])]
        firsts.append((q.argmax(1) == torch.arange(B)).double().mean())
    loss, first = sum(losses) / len(losses), sum(firsts) / len(firsts)
    return loss, first


def step(row):
    path = f"{folder}/{row['name']}.h5"
    with h5py.File(path, "r") as f:
        set_positions(f.attrs.get("rotary", 0))
    encoder, predictor = read(path, "encoder", True), read(path, "predictor", True)
    average = stem_jepa.encode(mel[1], read(path, "target"), DEPTH, HEADS)
    z = stem_jepa.encode(mel[0][:B // row["targets"]], encoder, DEPTH, HEADS).repeat(row["targets"], 1, 1, 1)
    p = z if row["alone"] else predict(row["predictor"], z, predictor)
    distance = stem_jepa.loss(p, average)
    total = row["cosine"] * distance
    contrastive = first = torch.zeros(())
    if row["contrastive"]:
        targets = stem_jepa.encode(mel[1], encoder, DEPTH, HEADS) if row["two_sided"] else average
        contrastive, first = term(p, targets, row)
        total = total + row["contrastive"] * contrastive
    total.backward()
    grads = {f"encoder/{n}": w.grad for n, w in encoder.items()}
    predictor.get("source_vector", torch.zeros(1)).grad = None  # it is given, not trained
    grads.update({f"predictor/{n}": w.grad for n, w in predictor.items()})
    distance = distance if row["cosine"] or not row["two_sided"] else torch.zeros(())
    return float(distance), float(contrastive), float(first), grads


count = failed = 0
for line in sys.stdin:
    row = json.loads(line)
    distance, contrastive, first, grads = step(row)
    path = f"{folder}/{row['name']}-{row['number']}.h5"
    ours = {f"{part}/{n}": g.detach() for part in ("encoder", "predictor") for n, g in read(path, part).items()}
    largest = max(float(g.abs().max()) for g in grads.values() if g is not None)
    worst, where = 0.0, "nothing"
    for n, g in ours.items():
        want = grads[n] if grads[n] is not None else torch.zeros_like(g)
        off = float((g - want).abs().max()) / max(float(want.abs().max()), 1e-3 * largest)
        if not off <= worst:
            worst, where = off, n
    good = (worst < 2e-5 and ours.keys() == grads.keys() and abs(distance - row["loss"]) < 1e-5
            and abs(contrastive - row["term"]) < 1e-5 and abs(first - row["first"]) < 1e-9)
    count += 1
    failed += not good
    print("%sok %d - %s, objective %d, targets %d, window %d: loss %.4f (%.4f), term %.4f (%.4f), first %.2f (%.2f), gradients within "
          "%.1e (%s)" % ("" if good else "not ", count, row["name"], row["number"], row["targets"],
                         row["window"], row["loss"], distance, row["term"], contrastive, row["first"], first, worst, where))
print(f"1..{count}")
sys.exit(failed > 0 or count == 0)
