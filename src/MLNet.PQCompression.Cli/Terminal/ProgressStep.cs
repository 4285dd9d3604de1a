namespace MLNet.PQCompression.Cli.Terminal;

/// <summary>Where some work stands.</summary>
/// <param name="Fraction">Work done of the whole, 0 to 1.</param>
/// <param name="Text">What is being done.</param>
/// <param name="Remaining">The time that the rest takes, or null where the work goes at one speed.</param>
internal readonly record struct ProgressStep(double Fraction, string Text, TimeSpan? Remaining = null);
