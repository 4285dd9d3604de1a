namespace MLNet.PQCompression.Distillation.Checkpoints;

/// <summary>The state of an interrupted run: how far it got, and arrays by name.</summary>
/// <param name="Stage">The stage that was running.</param>
/// <param name="Position">How far it got.</param>
/// <param name="Values">Real numbers by name.</param>
/// <param name="Codes">Codes by name.</param>
public sealed record Checkpoint(string Stage, long Position, IReadOnlyDictionary<string, float[]> Values, IReadOnlyDictionary<string, ushort[]> Codes);
