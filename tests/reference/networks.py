"""Five small networks with seeded weights, each shaped like a family of image classifiers.

They are small to be committed, and odd on purpose: odd sizes, uneven pads, an activation module that is reused, batch
normalisation that cannot be folded. Weights are random, but batch normalisation has seen real pictures and the last
layer is scaled, so activations are alive and scores differ by a few units.
"""
import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 10


def same_pad(x, kernel, stride):
    """TensorFlow's SAME padding, uneven where the size and the stride make it so."""
    pads = []
    for size in (x.shape[-1], x.shape[-2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


class SameConv(nn.Conv2d):
    def forward(self, x):
        return super().forward(same_pad(x, self.kernel_size[0], self.stride[0]))


def same_conv(i, o, k, stride=1, groups=1):
    return SameConv(i, o, k, stride=stride, groups=groups, bias=False)


class LiteBlock(nn.Module):
    """Inverted residual: expand, depthwise, project; the input is added where shapes allow."""

    def __init__(self, i, o, kernel, stride, expansion):
        super().__init__()
        mid = i * expansion
        self.expand = nn.Sequential(nn.Conv2d(i, mid, 1, bias=False), nn.BatchNorm2d(mid), nn.ReLU6())
        self.depthwise = nn.Sequential(same_conv(mid, mid, kernel, stride, mid), nn.BatchNorm2d(mid), nn.ReLU6())
        self.project = nn.Sequential(nn.Conv2d(mid, o, 1, bias=False), nn.BatchNorm2d(o))
        self.residual = stride == 1 and i == o

    def forward(self, x):
        y = self.project(self.depthwise(self.expand(x)))
        return y + x if self.residual else y


class Lite(nn.Module):
    """EfficientNet-Lite: ReLU6, TensorFlow's padding."""

    size = (32, 47)
    spread = (2.0, 5.0)  # of batch normalisation: ReLU6 saturates at a few percent of the values
    layers = {"last": "head", "middle": "block2.depthwise"}

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(same_conv(3, 12, 3, stride=2), nn.BatchNorm2d(12), nn.ReLU6())
        self.block1 = LiteBlock(12, 12, 3, 1, 2)
        self.block2 = LiteBlock(12, 20, 5, 2, 4)
        self.block3 = LiteBlock(20, 20, 5, 1, 4)
        self.head = nn.Sequential(nn.Conv2d(20, 64, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU6())
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(64, CLASSES)

    def forward(self, x):
        x = self.head(self.block3(self.block2(self.block1(self.stem(x)))))
        return self.fc(self.dropout(F.adaptive_avg_pool2d(x, 1).flatten(1)))


class BasicBlock(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.relu = nn.ReLU()  # used twice, which is why hooks on modules go wrong
        self.shortcut = nn.Identity()
        if stride != 1 or i != o:
            self.shortcut = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + self.shortcut(x))


class ResNet(nn.Module):
    size = (33, 47)
    layers = {"last": "block3", "middle": "block2.bn1"}

    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.block1, self.block2, self.block3 = BasicBlock(16, 16, 1), BasicBlock(16, 24, 2), BasicBlock(24, 24, 1)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(24, CLASSES)

    def forward(self, x):
        x = self.pool(F.relu(self.bn(self.conv(x))))
        return self.fc(self.avgpool(self.block3(self.block2(self.block1(x)))).flatten(1))


class Vgg(nn.Module):
    """No global pooling: the spatial map is flattened into fully connected layers."""

    size = (33, 47)
    layers = {"last": "features.11", "middle": "features.5"}

    def __init__(self):
        super().__init__()
        layers, i = [], 3
        for o in (12, 12, "pool", 16, "pool", 24, 24, "pool"):
            if o == "pool":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(i, o, 3, padding=1), nn.ReLU(inplace=False)]
                i = o
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Linear(24 * 4 * 5, 40), nn.ReLU(), nn.Dropout(), nn.Linear(40, CLASSES))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


class DenseLayer(nn.Module):
    def __init__(self, i, growth):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(i), nn.Conv2d(i, 2 * growth, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(2 * growth), nn.Conv2d(2 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv2(F.relu(self.bn2(self.conv1(F.relu(self.bn1(x))))))
        return torch.cat([x, y], 1)


class DenseNet(nn.Module):
    """Batch normalisation before ReLU, on a concatenation: it cannot be folded into a convolution before it."""

    size = (33, 47)
    layers = {"last": "norm", "middle": "transition.conv"}

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2, 1, bias=False)
        self.block1 = nn.Sequential(DenseLayer(16, 8), DenseLayer(24, 8))
        self.transition = nn.Sequential()
        self.transition.add_module("bn", nn.BatchNorm2d(32))
        self.transition.add_module("relu", nn.ReLU())
        self.transition.add_module("conv", nn.Conv2d(32, 16, 1, bias=False))
        self.transition.add_module("pool", nn.AvgPool2d(2))
        self.block2 = nn.Sequential(DenseLayer(16, 8), DenseLayer(24, 8))
        self.norm = nn.Sequential(nn.BatchNorm2d(32), nn.ReLU())
        self.fc = nn.Linear(32, CLASSES)

    def forward(self, x):
        x = self.norm(self.block2(self.transition(self.block1(self.stem(x)))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class SqueezeExcite(nn.Module):
    def __init__(self, channels, gate):
        super().__init__()
        self.reduce, self.restore = nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels, 1)
        self.gate = gate

    def forward(self, x):
        return x * self.gate(self.restore(F.relu(self.reduce(F.adaptive_avg_pool2d(x, 1)))))


class MobileBlock(nn.Module):
    def __init__(self, i, mid, o, kernel, stride, act, gate):
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(i, mid, 1, bias=False), nn.BatchNorm2d(mid), act())
        self.depthwise = nn.Sequential(
            nn.Conv2d(mid, mid, kernel, stride, kernel // 2, groups=mid, bias=False), nn.BatchNorm2d(mid), act())
        self.squeeze = SqueezeExcite(mid, gate)
        self.project = nn.Sequential(nn.Conv2d(mid, o, 1, bias=False), nn.BatchNorm2d(o))
        self.residual = stride == 1 and i == o

    def forward(self, x):
        y = self.project(self.squeeze(self.depthwise(self.expand(x))))
        return y + x if self.residual else y


class MobileNetV3(nn.Module):
    """Squeeze and excitation (a product that broadcasts), hard and smooth activations."""

    size = (33, 47)
    layers = {"last": "head", "middle": "block2.depthwise"}

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12), nn.Hardswish())
        self.block1 = MobileBlock(12, 24, 12, 3, 1, nn.ReLU, nn.Hardsigmoid())
        self.block2 = MobileBlock(12, 48, 20, 5, 2, nn.Hardswish, nn.Hardsigmoid())
        self.block3 = MobileBlock(20, 60, 20, 5, 1, nn.SiLU, nn.Sigmoid())
        self.head = nn.Sequential(nn.Conv2d(20, 64, 1, bias=False), nn.BatchNorm2d(64), nn.Hardswish())
        self.classifier = nn.Sequential(nn.Linear(64, 40), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(40, CLASSES))

    def forward(self, x):
        x = self.head(self.block3(self.block2(self.block1(self.stem(x)))))
        return self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))


NETWORKS = {"lite": Lite, "resnet": ResNet, "vgg": Vgg, "densenet": DenseNet, "mobilenet_v3": MobileNetV3}


def build(name, pictures, seed):
    """The network in evaluation mode; `pictures` [n,3,H,W] set batch normalisation's statistics."""
    torch.manual_seed(seed)
    model = NETWORKS[name]()
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.1)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, *getattr(model, "spread", (0.8, 2.4)))
            nn.init.normal_(module.bias, mean=0.5, std=0.7)
            module.momentum = None  # statistics of all that was seen, not a moving average
    model.train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    with torch.no_grad():
        for _ in range(2):
            model(pictures)
        model.eval()
        last = [m for m in model.modules() if isinstance(m, nn.Linear)][-1]
        scores = model(pictures)
        # Every class gets its turn: zero mean and a deviation of 3 over the pictures.
        last.weight /= scores.std(0, keepdim=True).T / 3
        last.bias.copy_(torch.randn(CLASSES) * 0.5 - (model(pictures) - last.bias).mean(0))
    return model
