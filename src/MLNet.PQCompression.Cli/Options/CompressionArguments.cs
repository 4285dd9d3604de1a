using System.CommandLine;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.OnnxRuntime;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>The options that become <see cref="CompressionOptions"/>.</summary>
internal sealed class CompressionArguments
{
    private static readonly CompressionOptions Defaults = new();

    private readonly Option<BlockRegime> _blocks = ChoiceOption.Create(
        "--blocks", "small: 3×3 d=9, 1×1 d=4. large: 3×3 d=18, 1×1 d=8 (4 in networks of basic blocks). fitted, fitted-large: as these, but finer in small layers, in 2.5% more bytes at most.", Defaults.Blocks, "; for other sizes see --target-size and --target-ratio");

    private readonly Option<CompressionMethod> _method = ChoiceOption.Create(
        "--method", "The error that is minimised. output: of each layer's outputs. paper: of each block's outputs. plain: of the weights.", Defaults.Method);

    private readonly Option<int> _codewords = AtLeast(2, "--k", "Codewords of a layer; fewer where it has few blocks.", Defaults.Codewords);
    private readonly Option<int> _seed = new("--seed") { HelpName = "N", Description = "Seed of every random choice.", DefaultValueFactory = _ => Defaults.Seed };
    private readonly Option<int> _maxImages = AtLeast(1, "--max-images", "How many images are read at most.", Defaults.MaxImages);
    private readonly Option<int> _views = AtLeast(1, "--views", "How often each image is looked at, at most, where there are fewer than --max-images: as it is, then with random crops and flips.", Defaults.Views);
    private readonly Option<long> _memory = new("--max-memory")
    {
        HelpName = "SIZE",
        Description = "What the process may take, within 1 GB: fewer images are read where --max-images would take more. Distillation is apart.",
        DefaultValueFactory = _ => Defaults.MaxActivationBytes,
        CustomParser = result =>
        {
            if (BudgetArguments.Size(result.Tokens[0].Value) is { } bytes)
                return bytes;
            result.AddError($"--max-memory '{result.Tokens[0].Value}': expected a size such as 1500MB or 4GB.");
            return 0;
        },
    };

    private readonly Option<bool> _depthwise = new("--depthwise") { Description = "Compress depthwise convolutions too: they are few bytes and have the largest errors." };
    private readonly Option<bool> _reestimate = new("--reestimate-batchnorm") { Description = "Give BatchNorm the mean and variance of the student's own activations (for paper and plain)." };
    private readonly Option<int> _layerSteps = AtLeast(0, "--layer-steps", "Steps of distillation after each layer, on its codewords (the paper: 100).", 0);
    private readonly Option<int> _epochs = AtLeast(0, "--epochs", "Epochs of distillation at the end, on all codewords.", 0);
    private readonly Option<int> _trainImages = AtLeast(1, "--train-images", "How many images distillation learns from at most; they are held in memory.", DistillationOptions.Paper.MaxImages);
    private readonly Option<DistillationSource> _learnFrom = ChoiceOption.Create(
        "--learn-from", "What distillation learns from. teacher: the model's outputs. labels: the images' labels, without the teacher.", DistillationOptions.Paper.Source);

    private readonly Option<string?> _checkpoint = new("--checkpoint") { HelpName = "FOLDER", Description = "Keep the state there after each layer and epoch; the same command, interrupted, goes on from it." };
    private readonly Option<LayerOverride[]> _layers = LayerOption.Create();

    /// <summary>Those that decide the plan, and what carrying it out takes.</summary>
    public IReadOnlyList<Option> Plan => [_blocks, _codewords, _layers, _depthwise, _method, _maxImages, _views, _memory];

    /// <summary>Those that an analysis looks at.</summary>
    public IReadOnlyList<Option> Analysis => [_layers, _seed, _memory];

    /// <summary>Where the state is kept on the way, which does not change the result.</summary>
    public Option Checkpoint => _checkpoint;

    /// <summary>All of them.</summary>
    public IReadOnlyList<Option> All => [_blocks, _method, _codewords, _layers, _depthwise, _seed, _maxImages, _views, _memory, _reestimate, _layerSteps, _epochs, _trainImages, _learnFrom, _checkpoint];

    /// <summary>Reads them.</summary>
    /// <param name="arguments">What was parsed.</param>
    /// <param name="threads">Threads, or 0.</param>
    /// <param name="learning">The model and what images become, which decide how distillation learns; null where only the plan is wanted.</param>
    public CompressionOptions Read(ParseResult arguments, int threads, (ModelGraph Model, ImagePreprocessing Images)? learning = null) => new()
    {
        Blocks = arguments.GetValue(_blocks),
        Method = arguments.GetValue(_method),
        Codewords = arguments.GetValue(_codewords),
        Depthwise = arguments.GetValue(_depthwise),
        Seed = arguments.GetValue(_seed),
        MaxImages = arguments.GetValue(_maxImages),
        Views = arguments.GetValue(_views),
        MaxActivationBytes = arguments.GetValue(_memory),
        ReestimateBatchNorm = arguments.GetValue(_reestimate),
        Threads = threads,
        ForeignRuntime = new OnnxRuntimeEngine(),
        Distillation = learning is { } given ? Distillation(arguments, given.Model, given.Images) : null,
        CheckpointFolder = arguments.GetValue(_checkpoint),
        Overrides = [.. arguments.GetValue(_layers) ?? []],
    };

    /// <summary>Reads those that an analysis looks at.</summary>
    public CompressionOptions ReadAnalysis(ParseResult arguments, int threads) =>
        Defaults with { Seed = arguments.GetValue(_seed), MaxActivationBytes = arguments.GetValue(_memory), Overrides = [.. arguments.GetValue(_layers) ?? []], Threads = threads };

    private DistillationOptions? Distillation(ParseResult arguments, ModelGraph model, ImagePreprocessing images)
    {
        (int layerSteps, int epochs, DistillationSource source) = (arguments.GetValue(_layerSteps), arguments.GetValue(_epochs), arguments.GetValue(_learnFrom));
        if (layerSteps + epochs == 0)
            return null;
        DistillationOptions standard = arguments.GetValue(_method) != CompressionMethod.Output ? DistillationOptions.PaperOver(epochs)
            : source == DistillationSource.Labels ? DistillationOptions.AfterOutputAwareFor(images.Height, images.Width)
            : DistillationOptions.AfterOutputAwareFor(model, images.Height, images.Width);
        if (source == DistillationSource.Labels)
            standard = standard with { Augmentation = null }; // a blend of images has no label
        return standard with { LayerSteps = layerSteps, Epochs = epochs, MaxImages = arguments.GetValue(_trainImages), Source = source };
    }

    private static Option<int> AtLeast(int minimum, string name, string description, int value) =>
        new Option<int>(name) { HelpName = "N", Description = description, DefaultValueFactory = _ => value }.AtLeast(minimum);
}
