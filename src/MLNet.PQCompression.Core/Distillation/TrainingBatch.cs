namespace MLNet.PQCompression.Distillation;

/// <summary>Some images and what the model should make of them.</summary>
/// <param name="Images">Count·C·H·W values, image after image.</param>
/// <param name="Count">The number of images.</param>
/// <param name="Target">What the outputs are compared with.</param>
public sealed record TrainingBatch(ReadOnlyMemory<float> Images, int Count, TrainingTarget Target)
{
    /// <summary>Images in the batch of all ranks; <see cref="Count"/> where one process has it.</summary>
    public int Total { get; init; } = Count;

    /// <summary>The place of the first image in the batch of all ranks.</summary>
    public int First { get; init; }
}

/// <summary>What a batch's outputs are compared with, and by which loss.</summary>
public abstract record TrainingTarget
{
    private protected TrainingTarget() { }

    /// <summary>The target of some of the images.</summary>
    internal TrainingTarget Rows(int first, int count, int classes) => this switch
    {
        TeacherTarget teacher => teacher with { Logits = teacher.Logits.Slice(first * classes, count * classes) },
        LabelTarget labels => labels with { Labels = labels.Labels.Slice(first, count) },
        _ => this,
    };
}

/// <summary>The teacher's outputs, by KL(teacher ‖ student), the mean over the batch (section 3.3). No label is needed.</summary>
/// <param name="Logits">The teacher's logits, Count·classes.</param>
/// <param name="Temperature">Divides the logits of both; the loss is multiplied by its square so that its gradient keeps its size.</param>
public sealed record TeacherTarget(ReadOnlyMemory<float> Logits, float Temperature = 1) : TrainingTarget;

/// <summary>Class labels, by cross-entropy, the mean over the batch.</summary>
/// <param name="Labels">The class of each image; none negative.</param>
public sealed record LabelTarget(ReadOnlyMemory<int> Labels) : TrainingTarget;
