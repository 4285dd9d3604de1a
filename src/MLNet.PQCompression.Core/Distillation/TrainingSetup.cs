using System.Collections.Immutable;
using MLNet.PQCompression.Collectives;

namespace MLNet.PQCompression.Distillation;

/// <summary>What a <see cref="ITrainingModel"/> trains, and how.</summary>
public sealed record TrainingSetup
{
    /// <summary>Trains nothing: for teachers and evaluation.</summary>
    public static TrainingSetup Frozen { get; } = new();

    /// <summary>The initializers to train: the codebook of a quantized tensor, all values of a dense one.</summary>
    public ImmutableSortedSet<string> Trainable { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>Whether BatchNormalization uses the batch's statistics and moves the running ones, by a tenth in each step.</summary>
    public bool BatchStatistics { get; init; }

    /// <summary>The rule that moves the parameters.</summary>
    public OptimizerOptions Optimizer { get; init; } = new SgdOptions();

    /// <summary>
    /// The ranks that train one model together, or null for none but this process. Each has its share of a batch (<see cref="BatchShare"/>); gradients and BatchNormalization's statistics are those of the
    /// whole batch, summed in an order that does not depend on the number of ranks, and all make the same step.
    /// </summary>
    public ICollective? Collective { get; init; }

    /// <summary>Multiplies the learning rate of dense parameters, which codebooks do not share.</summary>
    public double DenseRateFactor { get; init; } = 1;
}

/// <summary>The rule by which parameters follow their gradients.</summary>
public abstract record OptimizerOptions
{
    private protected OptimizerOptions() { }
}

/// <summary>Stochastic gradient descent: g ← g + decay·c; m ← momentum·m + g; c ← c − η·m. The paper's, section 4.1.</summary>
/// <param name="Momentum">The share of the last step that goes on.</param>
/// <param name="WeightDecay">The share of the parameter that is added to its gradient.</param>
public sealed record SgdOptions(double Momentum = 0.9, double WeightDecay = 1e-4) : OptimizerOptions;

/// <summary>Adam: the gradient's running mean over the root of its running square, both corrected for their start.</summary>
/// <param name="Beta1">Decay of the mean.</param>
/// <param name="Beta2">Decay of the square.</param>
/// <param name="Epsilon">Added to the root.</param>
/// <param name="WeightDecay">Decoupled: the parameter shrinks by η·WeightDecay in each step.</param>
/// <param name="Relative">Whether η is in units of the root mean square of the parameter's values, so that one rate suits layers of large and of small weights.</param>
public sealed record AdamOptions(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0, bool Relative = false) : OptimizerOptions;

/// <summary>An optimizer's memory.</summary>
/// <param name="Steps">Updates so far.</param>
/// <param name="Slots">For each trained parameter its accumulators, one after the other: SGD's momentum; Adam's mean and square.</param>
public sealed record OptimizerState(long Steps, ImmutableSortedDictionary<string, ImmutableArray<float>> Slots);
