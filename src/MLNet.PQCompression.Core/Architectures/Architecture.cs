using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Architectures;

/// <summary>A residual network, as data: what a state dict needs to become a <see cref="ModelGraph"/>. Tensor names are those of torchvision.</summary>
/// <remarks>
/// Stage s (from 0) has <c>Depths[s]</c> blocks of <c>Width·2ˢ</c> planes and halves height and width in its first block, the first stage excepted.
/// A basic block is two 3×3 convolutions; a bottleneck is 1×1, 3×3 with <c>Groups</c> groups, 1×1 to four times the planes.
/// </remarks>
public sealed record Architecture
{
    internal Architecture(string name) => Name = name;

    /// <summary>The name that <see cref="Find"/> takes, torchvision's where it has one.</summary>
    public string Name { get; }

    /// <summary>H and W of the images that the network was made for.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Size of the first convolution's kernel.</summary>
    internal int StemKernel { get; init; } = 7;

    /// <summary>Whether the first convolution has stride 2 and a 3×3 max pool follows it.</summary>
    internal bool StemReduces { get; init; } = true;

    internal bool Bottleneck { get; init; }

    internal ImmutableArray<int> Depths { get; init; } = [];

    internal int Width { get; init; } = 64;

    internal int Groups { get; init; } = 1;

    /// <summary>Channels of one group of a bottleneck's 3×3 convolution where a block has 64 planes.</summary>
    internal int GroupWidth { get; init; } = 64;

    /// <summary>Whether a shortcut that must change shape takes every second pixel and pads the channels with zeros (option A) instead of a 1×1 convolution.</summary>
    internal bool PaddedShortcut { get; init; }

    /// <summary>Whether a state dict's names and shapes tell it apart. Where they are those of a network that pools as well, it must be asked for by name.</summary>
    internal bool IsDetected { get; init; } = true;

    /// <summary>What the last layer is called.</summary>
    internal string Classifier { get; init; } = "fc";

    /// <summary>Every architecture, by family and depth.</summary>
    public static ImmutableArray<Architecture> All { get; } =
    [
        new("resnet18") { Depths = [2, 2, 2, 2] },
        new("resnet34") { Depths = [3, 4, 6, 3] },
        new("resnet50") { Bottleneck = true, Depths = [3, 4, 6, 3] },
        new("resnet101") { Bottleneck = true, Depths = [3, 4, 23, 3] },
        new("resnet152") { Bottleneck = true, Depths = [3, 8, 36, 3] },
        new("resnext50_32x4d") { Bottleneck = true, Depths = [3, 4, 6, 3], Groups = 32, GroupWidth = 4 },
        new("resnext101_32x8d") { Bottleneck = true, Depths = [3, 4, 23, 3], Groups = 32, GroupWidth = 8 },
        new("resnext101_64x4d") { Bottleneck = true, Depths = [3, 4, 23, 3], Groups = 64, GroupWidth = 4 },
        new("wide_resnet50_2") { Bottleneck = true, Depths = [3, 4, 6, 3], GroupWidth = 128 },
        new("wide_resnet101_2") { Bottleneck = true, Depths = [3, 4, 23, 3], GroupWidth = 128 },
        // The 64-channel networks as they are trained on 32×32 images: a first convolution of 3×3, and nothing that reduces before the second stage.
        new("resnet18_cifar") { ImageSize = 32, StemKernel = 3, StemReduces = false, IsDetected = false, Depths = [2, 2, 2, 2] },
        new("resnet50_cifar") { ImageSize = 32, StemKernel = 3, StemReduces = false, IsDetected = false, Bottleneck = true, Depths = [3, 4, 6, 3] },
        Cifar(20), Cifar(32), Cifar(44), Cifar(56), Cifar(110),
    ];

    /// <summary>The architecture of that name; case does not matter, nor whether - or _ is written.</summary>
    /// <exception cref="InvalidModelException">There is none; the message lists all.</exception>
    public static Architecture Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return All.FirstOrDefault(a => a.Name.Equals(name.Replace('-', '_'), StringComparison.OrdinalIgnoreCase))
            ?? throw new InvalidModelException($"The architecture '{name}' is not known. Known are {string.Join(", ", All.Select(a => a.Name))}.");
    }

    /// <summary>The one architecture whose tensors have the names and shapes of the state dict's, whatever stands before all names.</summary>
    /// <exception cref="InvalidModelException">None fits; the message says what the nearest lacks.</exception>
    public static Architecture Detect(StateDict state)
    {
        ArgumentNullException.ThrowIfNull(state);
        (Architecture nearest, Match match) = All.Where(a => a.IsDetected).Select(a => (a, Match.Find(ResidualNetwork.Define(a), state))).MinBy(c => c.Item2.Misfit.Count);
        return match.Misfit.Count == 0
            ? nearest
            : throw new InvalidModelException(
                $"{state.Source} is a state dict, weights without a structure, and fits none of the architectures {string.Join(", ", All.Select(a => a.Name))}. "
                + $"Nearest is {nearest.Name}: {match}." + ByName(state));
    }

    /// <summary>What else the state dict may be, to be asked for by name; or nothing.</summary>
    private static string ByName(StateDict state) =>
        string.Concat(All.Where(a => !a.IsDetected && Match.Find(ResidualNetwork.Define(a), state).Misfit.Count == 0)
            .Select(a => $" It fits {a.Name}, if no pooling follows its first convolution: then name that architecture."));

    /// <summary>The network with the state dict's weights; what stands before all their names, as "model." or "backbone.", is left out.</summary>
    /// <exception cref="InvalidModelException">Tensors are missing, superfluous or of another shape; the message lists them.</exception>
    public ModelGraph Build(StateDict state)
    {
        ArgumentNullException.ThrowIfNull(state);
        NetworkDefinition network = ResidualNetwork.Define(this);
        Match match = Match.Find(network, state);
        return match.Misfit.Count == 0
            ? network.ToGraph(Name, match.State)
            : throw new InvalidModelException($"{state.Source} does not hold the weights of {Name}: {match}.");
    }

    /// <summary>The network with all weights zero, as a form to be filled by training.</summary>
    /// <param name="classes">Outputs of the classifier.</param>
    public ModelGraph Untrained(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        NetworkDefinition network = ResidualNetwork.Define(this);
        return network.ToGraph(Name, new StateDict(Name, network.Parameters.Select(p =>
        {
            TensorShape shape = new([.. p.Value.Dimensions.Select(d => d < 0 ? classes : d)]);
            return KeyValuePair.Create(p.Key, (StateTensor)new WeightTensor(new DenseTensor(shape, new float[shape.Count])));
        })));
    }

    private static Architecture Cifar(int depth) => new($"resnet{depth}")
    {
        ImageSize = 32, StemKernel = 3, StemReduces = false, Depths = [(depth - 2) / 6, (depth - 2) / 6, (depth - 2) / 6],
        Width = 16, PaddedShortcut = true, Classifier = "linear",
    };
}
