"""Compares the time of a distillation step with PyTorch's, taking turns.

usage: compare-pytorch.py MODEL {resnet20,resnet56,resnet18} [--threads 2] [--batch 128] [--size 32] [--rounds 10] [--steps 3] [--device cuda]

MODEL is any file of that network that the library reads. PyTorch trains a network of the same shape with arbitrary weights: teacher and student
forward, KL, backward, and the codeword step (mean over each codeword's blocks, SGD with momentum). The student's weights are decoded by indexing.
--device names what ours runs on: managed (the default), or torch's cpu, cuda or cuda-bfloat16; PyTorch runs on the CPU, or on the same GPU with the same precision
(TF32 convolutions, or autocast to bfloat16).
"""
import argparse
import os
import statistics
import subprocess
import time

import torch
import torch.nn.functional as F


class Block(torch.nn.Module):
    def __init__(self, inputs, outputs, stride, projection):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(outputs)
        self.conv2 = torch.nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(outputs)
        self.down = None
        self.pad = outputs - inputs
        if projection and (stride != 1 or inputs != outputs):
            self.down = torch.nn.Sequential(torch.nn.Conv2d(inputs, outputs, 1, stride, bias=False), torch.nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.down is not None:
            x = self.down(x)
        elif self.pad:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad // 2, self.pad // 2))
        return F.relu(x + y)


def network(name):
    if name == "resnet18":
        layers = [torch.nn.Conv2d(3, 64, 7, 2, 3, bias=False), torch.nn.BatchNorm2d(64), torch.nn.ReLU(), torch.nn.MaxPool2d(3, 2, 1)]
        widths, depth, classes, projection = (64, 128, 256, 512), 2, 1000, True
    else:
        layers = [torch.nn.Conv2d(3, 16, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(16), torch.nn.ReLU()]
        widths, depth, classes, projection = (16, 32, 64), (int(name[6:]) - 2) // 6, 10, False
    inputs = widths[0]
    for stage, width in enumerate(widths):
        for i in range(depth):
            layers.append(Block(inputs, width, 2 if stage and not i else 1, projection))
            inputs = width
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(inputs, classes))


class Distiller:
    def __init__(self, name, batch, size, device="cpu", reduced=False):
        torch.manual_seed(0)
        self.device, self.reduced = device, reduced
        self.teacher, self.student = network(name).to(device).eval(), network(name).to(device).train()
        for p in [*self.teacher.parameters(), *self.student.parameters()]:
            p.requires_grad_(False)
        self.layers = []
        modules = [m for m in self.student.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))][1:]
        for m in modules:
            w = m.weight.detach().reshape(m.weight.shape[0], -1)
            d = 9 if w.shape[1] % 9 == 0 else 4
            blocks = w.reshape(-1, d)
            k = min(256, blocks.shape[0] // 4)
            codes = torch.randint(k, (blocks.shape[0],), device=device)
            m.weight.requires_grad_(True)
            counts = torch.bincount(codes, minlength=k).clamp(min=1).unsqueeze(1).float()
            self.layers.append((m, d, codes, counts, blocks[:k].clone(), torch.zeros(k, d, device=device)))
        self.x = torch.randn(batch, 3, size, size)  # in host memory, as images come; each step uploads them

    def step(self):
        for m, _, codes, _, book, _ in self.layers:
            m.weight.data = book[codes].reshape(m.weight.shape)
            m.weight.grad = None
        x = self.x.to(self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.reduced):
            with torch.no_grad():
                teacher = F.softmax(self.teacher(x).float(), 1)
            logits = self.student(x).float()
        F.kl_div(F.log_softmax(logits, 1), teacher, reduction="batchmean").backward()
        for m, d, codes, counts, book, momentum in self.layers:
            g = torch.zeros_like(book).index_add_(0, codes, m.weight.grad.reshape(-1, d)) / counts + 1e-4 * book
            momentum.mul_(0.9).add_(g)
            book.sub_(0.001 * momentum)
        if self.device != "cpu":
            torch.cuda.synchronize()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("model")
    p.add_argument("network", choices=["resnet20", "resnet56", "resnet18"])
    for name, value in dict(threads=2, batch=128, size=32, rounds=10, steps=3).items():
        p.add_argument("--" + name, type=int, default=value)
    p.add_argument("--device", default="managed")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    here = os.path.dirname(os.path.abspath(__file__))
    program = os.environ.get("PQ_BENCHMARKS", os.path.join(here, "bin/Release/net10.0/MLNet.PQCompression.Benchmarks.dll"))
    ours = subprocess.Popen(["dotnet", program, "train", a.model, a.device, str(a.threads), str(a.batch), str(a.size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    name = ours.stdout.readline().strip()

    def ask(text):
        ours.stdin.write(f"{text}\n")
        ours.stdin.flush()
        return ours.stdout.readline().split()

    torch.backends.cuda.matmul.allow_tf32 = False
    theirs = Distiller(a.network, a.batch, a.size, "cuda" if a.device.startswith("cuda") else "cpu", a.device.endswith("-bfloat16"))
    theirs.step()
    ask(max(6, 2 * a.steps))
    def our_cpu():
        fields = open(f"/proc/{ours.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    mine, torchs, ratios = [], [], []
    cpu_mine = cpu_torch = 0.0
    for _ in range(a.rounds):
        t = []
        begin = time.process_time()
        for _ in range(a.steps):
            start = time.perf_counter()
            theirs.step()
            t.append((time.perf_counter() - start) * 1e3)
        cpu_torch += time.process_time() - begin
        begin = our_cpu()
        m = [float(x) for x in ask(a.steps)]
        cpu_mine += our_cpu() - begin
        mine += m
        torchs += t
        ratios.append(statistics.median(t) / statistics.median(m))
    memory = ask("memory")[0]
    ours.stdin.close()
    rate = lambda ms: a.batch / ms * 1e3
    print(f"{a.network} batch {a.batch} size {a.size} threads {a.threads}: {name} {rate(statistics.median(mine)):.0f} images/s (best {rate(min(mine)):.0f}), "
          f"PyTorch {torch.__version__} {rate(statistics.median(torchs)):.0f} (best {rate(min(torchs)):.0f}), speed-up {statistics.median(ratios):.2f} "
          f"(median over rounds), {min(torchs) / min(mine):.2f} (of the best steps), {cpu_torch / cpu_mine:.2f} (by processor time); resident {memory} MiB")


main()
