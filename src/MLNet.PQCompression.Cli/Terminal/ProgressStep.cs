namespace MLNet.PQCompression.Cli.Terminal;

/// <summary>Where some work stands.</summary>
/// <param name="Fraction">Work done of the whole, 0 to 1.</param>
/// <param name="Text">What is being done.</param>
internal readonly record struct ProgressStep(double Fraction, string Text);
