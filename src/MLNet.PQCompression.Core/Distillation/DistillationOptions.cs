using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation;

/// <summary>What the student learns from.</summary>
public enum DistillationSource
{
    /// <summary>The teacher's outputs; images need no labels (section 3.3).</summary>
    Teacher,

    /// <summary>The images' labels: the paper's ablation "Act + Labels".</summary>
    Labels,
}

/// <summary>The rounds of a fine-tuning stage.</summary>
/// <param name="LearningRate">The base rate of the codebooks.</param>
/// <param name="Schedule">How it changes over the stage.</param>
public sealed record RateOptions(double LearningRate, LearningRateSchedule Schedule);

/// <summary>How the codebooks are fine-tuned after k-means (sections 3.3 and 3.4).</summary>
public sealed record DistillationOptions
{
    /// <summary>The paper's settings: SGD on the codewords alone, 100 steps after each layer, then 3 epochs. Its rates are those of the published implementation.</summary>
    public static DistillationOptions Paper { get; } = new();

    /// <summary>
    /// For codebooks that output-aware quantization has found: no steps after single layers, and global epochs on everything, quantized or not, that start from the
    /// student's own function: Adam with a rate that falls along a cosine, softened outputs, and images that are never the same twice, since eight epochs otherwise fit the images themselves.
    /// </summary>
    public static DistillationOptions AfterOutputAware { get; } = new()
    {
        LayerSteps = 0, Epochs = 8, GlobalRate = new(0.001, new CosineSchedule()), Optimizer = new AdamOptions(), TrainUncompressed = true, AnchorStatistics = true,
        Temperature = 3, UnchangedFrom = int.MaxValue,
    };

    /// <summary>
    /// The same for photographs, of which there are often no more than a few hundred: small batches, which BatchNormalization's statistics are too noisy for and stay still, rates relative to each
    /// tensor's size, and random crops half of which are blended with another.
    /// </summary>
    public static DistillationOptions AfterOutputAwareOnPhotographs { get; } = AfterOutputAware with
    {
        Epochs = 20,
        BatchSize = 16,
        BatchStatistics = false,
        GlobalRate = new(0.0005, new CosineSchedule()),
        Optimizer = new AdamOptions(Relative: true),
        Temperature = 1,
        Augmentation = Augmentation.Photograph with { MixedShare = 0.5f },
    };

    /// <summary><see cref="AfterOutputAware"/> or <see cref="AfterOutputAwareOnPhotographs"/>, from 64 pixels up.</summary>
    public static DistillationOptions AfterOutputAwareFor(int height, int width) => Augmentation.IsPhotograph(height, width) ? AfterOutputAwareOnPhotographs : AfterOutputAware;

    /// <summary>
    /// The same for photographs and networks that give no scores of classes, whose values are matched (<see cref="CodebookFinetuner.PartToMatch"/>): an image has thousands of them, so batches are small and
    /// steps many, and the rate rises at first. No two images are blended, since a detector has little to say of blends.
    /// </summary>
    public static DistillationOptions AfterOutputAwareOnValues { get; } = AfterOutputAwareOnPhotographs with
    {
        BatchSize = 4,
        GlobalRate = new(0.001, new CosineSchedule(0.05)),
        Augmentation = Augmentation.Photograph,
    };

    /// <summary><see cref="AfterOutputAwareFor(int, int)"/> for a classifier and for small images, else <see cref="AfterOutputAwareOnValues"/>.</summary>
    /// <param name="model">The network.</param>
    /// <param name="height">The height of its images.</param>
    /// <param name="width">Their width.</param>
    /// <exception cref="InvalidModelException">The network is no classifier and has nothing that can be matched.</exception>
    public static DistillationOptions AfterOutputAwareFor(ModelGraph model, int height, int width) =>
        Augmentation.IsPhotograph(height, width) && CodebookFinetuner.PartToMatch(model) is not null ? AfterOutputAwareOnValues : AfterOutputAwareFor(height, width);

    /// <summary>The paper's settings over another number of epochs: the rate falls tenfold after every three.</summary>
    public static DistillationOptions PaperOver(int epochs) => Paper with { Epochs = epochs, GlobalRate = new(0.01, new StepSchedule(Math.Max(1, (epochs + 2) / 3))) };

    /// <summary>What the student learns from.</summary>
    public DistillationSource Source { get; init; } = DistillationSource.Teacher;

    /// <summary>Steps after each layer, on that layer's codewords alone; 0 for none.</summary>
    public int LayerSteps { get; init; } = 100;

    /// <summary>The rate of those steps.</summary>
    public RateOptions LayerRate { get; init; } = new(0.05, new ConstantSchedule());

    /// <summary>Epochs over all images once every layer is quantized, on all codewords, with BatchNormalization's running statistics moving; 0 for none.</summary>
    public int Epochs { get; init; } = 3;

    /// <summary>The rate of those epochs.</summary>
    public RateOptions GlobalRate { get; init; } = new(0.01, new StepSchedule(1));

    /// <summary>How many images are held in memory to learn from at most, 4·C·H·W bytes each.</summary>
    public int MaxImages { get; init; } = 50000;

    /// <summary>Images in a batch.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>The rule by which codewords follow their gradients.</summary>
    public OptimizerOptions Optimizer { get; init; } = new SgdOptions();

    /// <summary>Random changes to the images; null for what suits their size and, by <see cref="UnchangedFrom"/>, their number.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>From how many images on they are left as they are where <see cref="Augmentation"/> is null: many images seen three times each teach most as they are.</summary>
    public int UnchangedFrom { get; init; } = 10000;

    /// <summary>Divides the logits of both before the comparison.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Whether the global epochs also train what is not quantized: the first convolution, BatchNormalization's scale and bias, biases.</summary>
    public bool TrainUncompressed { get; init; }

    /// <summary>Multiplies the rate of what is not quantized.</summary>
    public double UncompressedRateFactor { get; init; } = 1;

    /// <summary>
    /// Whether the global epochs normalize by each batch's statistics and move the running ones (section 3.4). False keeps BatchNormalization in evaluation mode, for
    /// batches too small to have statistics worth the name.
    /// </summary>
    public bool BatchStatistics { get; init; } = true;

    /// <summary>
    /// Whether the global epochs start by making BatchNormalization's running statistics those of the student, its function unchanged (<see cref="StatisticsAnchor"/>).
    /// The paper starts from the teacher's. A network whose statistics a file has folded away is anchored in any case.
    /// </summary>
    public bool AnchorStatistics { get; init; }

    /// <summary>The share that the running average of the parameters keeps in each global step; the average becomes the result. 0 for none.</summary>
    public double Averaging { get; init; }

    /// <summary>When codes are re-assigned during the global epochs; null leaves them as they are, as the paper does.</summary>
    public ReassignmentOptions? Reassignment { get; init; }

    /// <summary>Seed of order and augmentation.</summary>
    public int Seed { get; init; }
}
