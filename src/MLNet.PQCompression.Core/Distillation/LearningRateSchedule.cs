namespace MLNet.PQCompression.Distillation;

/// <summary>How the learning rate changes over a run.</summary>
public abstract record LearningRateSchedule
{
    private protected LearningRateSchedule() { }

    /// <summary>The factor of the base rate.</summary>
    /// <param name="progress">The share of the run that is done, 0 to 1.</param>
    public abstract double Factor(double progress);
}

/// <summary>The rate stays.</summary>
public sealed record ConstantSchedule : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double Factor(double progress) => 1;
}

/// <summary>The rate falls by a factor at equal distances: the paper's global fine-tuning divides by 10 after every 3 of its 9 epochs.</summary>
/// <param name="Stages">Stretches of equal rate.</param>
/// <param name="Decay">The factor from one to the next.</param>
public sealed record StepSchedule(int Stages = 3, double Decay = 0.1) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double Factor(double progress) => Math.Pow(Decay, Math.Min(Stages - 1, Math.Floor(progress * Stages)));
}

/// <summary>Half a cosine from the base rate down to zero, after a linear rise.</summary>
/// <param name="Warmup">The share of the run during which the rate rises.</param>
public sealed record CosineSchedule(double Warmup = 0) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double Factor(double progress) =>
        progress < Warmup ? progress / Warmup : 0.5 * (1 + Math.Cos(Math.PI * (progress - Warmup) / (1 - Warmup)));
}
