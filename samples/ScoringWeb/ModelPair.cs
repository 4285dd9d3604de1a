namespace ScoringWeb;

/// <summary>The uncompressed and the compressed network, once they are ready.</summary>
public sealed class ModelPair : IDisposable
{
    private readonly TaskCompletionSource<(ScoredModel Teacher, ScoredModel Student)> _models = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What is being done until the networks are ready.</summary>
    public string Status { get; set; } = "starting";

    /// <summary>Whether preparation failed for good.</summary>
    public bool HasFailed => _models.Task.IsFaulted;

    /// <summary>The networks, or null while they are being prepared.</summary>
    public (ScoredModel Teacher, ScoredModel Student)? Ready => _models.Task.IsCompletedSuccessfully ? _models.Task.Result : null;

    /// <summary>Hands the networks over.</summary>
    public void Set(ScoredModel teacher, ScoredModel student)
    {
        _models.SetResult((teacher, student));
        Status = "ready";
    }

    /// <summary>Says why there will be none.</summary>
    public void Fail(Exception reason)
    {
        Status = $"failed: {reason.Message}";
        _models.SetException(reason);
        _ = _models.Task.Exception; // It is told by Status.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Ready is not var (teacher, student))
            return;
        teacher.Dispose();
        student.Dispose();
    }
}
