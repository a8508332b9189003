<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ja_JP">
<context>
    <name>Actions</name>
    <message>
        <source>Snip</source>
        <translation>切り抜き</translation>
    </message>
    <message>
        <source>Repeat last region</source>
        <translation>前回の範囲をもう一度読み取る</translation>
    </message>
    <message>
        <source>Read clipboard image</source>
        <translation>クリップボードの画像を読み取る</translation>
    </message>
    <message>
        <source>Open image…</source>
        <translation>画像を開く…</translation>
    </message>
    <message>
        <source>Ask…</source>
        <translation>質問…</translation>
    </message>
    <message>
        <source>Snip and ask</source>
        <translation>切り抜いて質問</translation>
    </message>
    <message>
        <source>Ask about clipboard image</source>
        <translation>クリップボードの画像について質問</translation>
    </message>
    <message>
        <source>History</source>
        <translation>履歴</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>モデル…</translation>
    </message>
    <message>
        <source>Download a model…</source>
        <translation>モデルをダウンロード…</translation>
    </message>
    <message>
        <source>Free memory now</source>
        <translation>今すぐメモリを解放</translation>
    </message>
    <message>
        <source>Pause hotkeys</source>
        <translation>ホットキーを一時停止</translation>
    </message>
    <message>
        <source>Pause history</source>
        <translation>履歴を一時停止</translation>
    </message>
    <message>
        <source>HTTP service</source>
        <translation>HTTP サービス</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>終了</translation>
    </message>
    <message>
        <source>HTTP service: {0}</source>
        <translation>HTTP サービス: {0}</translation>
    </message>
</context>
<context>
    <name>AnswerInfo</name>
    <message>
        <source>Details of the answer</source>
        <translation>答えの詳細</translation>
    </message>
</context>
<context>
    <name>AnswerTurn</name>
    <message>
        <source>Answer</source>
        <translation>答え</translation>
    </message>
    <message>
        <source>What the engine had to do</source>
        <translation>エンジンの対応</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>進み具合</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>もう一度試す</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>コピー</translation>
    </message>
    <message>
        <source>Copy the answer</source>
        <translation>答えをコピー</translation>
    </message>
    <message>
        <source>Again</source>
        <translation>再回答</translation>
    </message>
    <message>
        <source>Answer again</source>
        <translation>答え直す</translation>
    </message>
    <message>
        <source>More</source>
        <translation>その他</translation>
    </message>
    <message>
        <source>The answer failed.</source>
        <translation>答えられませんでした。</translation>
    </message>
    <message>
        <source>Copied ✓</source>
        <translation>コピー済み ✓</translation>
    </message>
    <message>
        <source>Earlier answer: {0}</source>
        <translation>前の答え: {0}</translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation>Markdown でコピー</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>詳細</translation>
    </message>
    <message>
        <source>They are known when the answer has ended.</source>
        <translation>答えが終わると分かります。</translation>
    </message>
    <message>
        <source>Nothing was kept about this answer but its text.</source>
        <translation>この答えは文章のほかに記録がありません。</translation>
    </message>
</context>
<context>
    <name>AskOptions</name>
    <message>
        <source>Options for this conversation</source>
        <translation>この会話のオプション</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>プリセット</translation>
    </message>
    <message>
        <source>Own values</source>
        <translation>独自の値</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>名前を変更…</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Rename this preset</source>
        <translation>このプリセットの名前を変更</translation>
    </message>
    <message>
        <source>Delete this preset</source>
        <translation>このプリセットを削除</translation>
    </message>
    <message>
        <source>Anew each time</source>
        <translation>毎回変わる</translation>
    </message>
    <message>
        <source>None. Example: Answer in one sentence.</source>
        <translation>なし。例: 一文で答えてください。</translation>
    </message>
    <message>
        <source>Save as preset…</source>
        <translation>プリセットに保存…</translation>
    </message>
    <message>
        <source>As in settings</source>
        <translation>設定どおり</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>プリセットの名前</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>キャンセル</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>元に戻す</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>シード</translation>
    </message>
    <message>
        <source>The same number gives the same answer on the same computer.</source>
        <translation>同じ数なら、同じコンピューターで同じ答えになります。</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>システムプロンプト</translation>
    </message>
    <message>
        <source>What the model is told before the conversation.</source>
        <translation>会話の前にモデルに伝えることです。</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>名前を変更</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>置き換え</translation>
    </message>
    <message>
        <source>A built-in preset is called “{0}”. Choose another name.</source>
        <translation>「{0}」は内蔵のプリセットの名前です。別の名前にしてください。</translation>
    </message>
    <message>
        <source>Another preset is called “{0}”. Choose another name.</source>
        <translation>「{0}」という名前のプリセットがすでにあります。別の名前にしてください。</translation>
    </message>
    <message>
        <source>“{0}” saved.</source>
        <translation>「{0}」を保存しました。</translation>
    </message>
    <message>
        <source>“{0}” replaced.</source>
        <translation>「{0}」を置き換えました。</translation>
    </message>
    <message>
        <source>Renamed to “{0}”.</source>
        <translation>名前を「{0}」に変更しました。</translation>
    </message>
    <message>
        <source>“{0}” deleted.</source>
        <translation>「{0}」を削除しました。</translation>
    </message>
    <message>
        <source>{0} can be {1} to {2}.</source>
        <translation>{0} は {1} から {2} までです。</translation>
    </message>
    <message>
        <source>For presets of your own: choose one above</source>
        <translation>自分で作ったプリセット用です。上で選んでください</translation>
    </message>
    <message>
        <source>Del</source>
        <translation>Del</translation>
    </message>
</context>
<context>
    <name>AskingNotes</name>
    <message>
        <source>Not used while a server answers.</source>
        <translation>サーバーが答える間は使いません。</translation>
    </message>
    <message>
        <source>There is no model to choose.</source>
        <translation>選べるモデルがありません。</translation>
    </message>
    <message>
        <source>In memory now: {0}.</source>
        <translation>今メモリにあります: {0}。</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>もう一度試す</translation>
    </message>
    <message>
        <source>In use: {0}</source>
        <translation>使用中: {0}</translation>
    </message>
    <message>
        <source>{0} is not there now. The CPU is used instead.</source>
        <translation>{0} は今ありません。代わりに CPU を使います。</translation>
    </message>
    <message>
        <source>At the moment: {0}</source>
        <translation>今は {0} です</translation>
    </message>
    <message>
        <source>{0} here, needs {1}.</source>
        <translation>このコンピューターでは「{0}」になり、メモリを {1} 使います。</translation>
    </message>
    <message>
        <source>Nothing is in memory now.</source>
        <translation>今メモリにモデルはありません。</translation>
    </message>
    <message>
        <source>Frees {0}.</source>
        <translation>{0} を解放します。</translation>
    </message>
    <message>
        <source>not on this computer yet</source>
        <translation>まだこのコンピューターにありません</translation>
    </message>
    <message>
        <source>chosen automatically</source>
        <translation>自動で選択</translation>
    </message>
    <message>
        <source>revision {0}</source>
        <translation>リビジョン {0}</translation>
    </message>
</context>
<context>
    <name>Backends</name>
    <message>
        <source>Screen capture</source>
        <translation>画面の取り込み</translation>
    </message>
    <message>
        <source>The clipboard</source>
        <translation>クリップボードへのコピー</translation>
    </message>
    <message>
        <source>Hotkeys</source>
        <translation>ホットキー</translation>
    </message>
    <message>
        <source>Notifications</source>
        <translation>通知</translation>
    </message>
    <message>
        <source>Keeping the panel&apos;s place free</source>
        <translation>パネルの場所の確保</translation>
    </message>
    <message>
        <source>it belongs to another system</source>
        <translation>別の OS 用です</translation>
    </message>
    <message>
        <source>Choose Automatic in Settings.</source>
        <translation>「設定」で「自動」を選んでください。</translation>
    </message>
    <message>
        <source>there is no such backend</source>
        <translation>その名前の方式はありません</translation>
    </message>
    <message>
        <source>Choose one of: auto, {0}.</source>
        <translation>次の中から選んでください: auto, {0}。</translation>
    </message>
    <message>
        <source>no backend is made for this system</source>
        <translation>この OS に対応した方式がありません</translation>
    </message>
    <message>
        <source>Run &apos;yomitori doctor&apos; to see what works here.</source>
        <translation>この環境で使えるものは「yomitori doctor」で確認できます。</translation>
    </message>
</context>
<context>
    <name>Bus</name>
    <message>
        <source>there is no D-Bus session bus</source>
        <translation>D-Bus のセッションバスがありません</translation>
    </message>
    <message>
        <source>the D-Bus session bus cannot be reached</source>
        <translation>D-Bus のセッションバスに接続できません</translation>
    </message>
    <message>
        <source>no answer came in time</source>
        <translation>時間内に応答がありませんでした</translation>
    </message>
    <message>
        <source>{0} is not running</source>
        <translation>{0} が動作していません</translation>
    </message>
</context>
<context>
    <name>Chat</name>
    <message>
        <source>{0} tokens/s</source>
        <translation>{0} トークン/秒</translation>
    </message>
    <message>
        <source>likelihood {0}</source>
        <translation>尤度 {0}</translation>
    </message>
    <message>
        <source>The geometric mean of the likelihoods the model gave its own words: how sure it was of its wording, not whether it is right.</source>
        <translation>モデルが自分の語に付けた尤度の幾何平均です。言い回しへの自信を示すもので、正しいかどうかは示しません。</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>中止しました。</translation>
    </message>
    <message>
        <source>Interrupted: Yomitori ended before the answer did.</source>
        <translation>中断: 答えの途中で Yomitori が終了しました。</translation>
    </message>
    <message>
        <source>Cut off: this is the longest answer that the options allow.</source>
        <translation>途中で切れました: オプションで決めた最大の長さです。</translation>
    </message>
    <message>
        <source>Cut off: the model&apos;s context is full.</source>
        <translation>途中で切れました: モデルのコンテキストがいっぱいです。</translation>
    </message>
    <message>
        <source>The model answered nothing.</source>
        <translation>モデルは何も答えませんでした。</translation>
    </message>
    <message>
        <source>One moment…</source>
        <translation>お待ちください…</translation>
    </message>
    <message>
        <source>{0} {1} %</source>
        <translation>{0} {1} %</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>エンジン</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>デバイス</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>精度</translation>
    </message>
    <message>
        <source>Time to the first word</source>
        <translation>最初の語までの時間</translation>
    </message>
    <message>
        <source>Time in all</source>
        <translation>全体の時間</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速さ</translation>
    </message>
    <message>
        <source>the model was done</source>
        <translation>答え終わった</translation>
    </message>
    <message>
        <source>the longest answer allowed</source>
        <translation>最大の長さに達した</translation>
    </message>
    <message>
        <source>the context was full</source>
        <translation>コンテキストがいっぱいになった</translation>
    </message>
    <message>
        <source>Ended because</source>
        <translation>終了の理由</translation>
    </message>
    <message>
        <source>Likelihood</source>
        <translation>尤度</translation>
    </message>
    <message>
        <source>Speed and tokens are only told of an answer that was finished.</source>
        <translation>速さとトークン数は、最後まで終わった答えでのみ分かります。</translation>
    </message>
    <message>
        <source>you stopped it</source>
        <translation>中止されたため</translation>
    </message>
    <message>
        <source>Yomitori ended first</source>
        <translation>Yomitori が先に終了したため</translation>
    </message>
    <message>
        <source>it failed</source>
        <translation>失敗したため</translation>
    </message>
    <message>
        <source>{0} of {1}</source>
        <translation>{0} / {1}</translation>
    </message>
    <message>
        <source>Tokens of pictures</source>
        <translation>画像のトークン</translation>
    </message>
    <message>
        <source>Tiles</source>
        <translation>タイル</translation>
    </message>
    <message>
        <source>Tokens of the conversation</source>
        <translation>会話のトークン</translation>
    </message>
    <message>
        <source>Of these reused</source>
        <translation>うち再利用</translation>
    </message>
    <message>
        <source>Tokens of the answer</source>
        <translation>答えのトークン</translation>
    </message>
    <message>
        <source>Context used</source>
        <translation>使用中のコンテキスト</translation>
    </message>
    <message>
        <source>{0} s</source>
        <translation>{0} 秒</translation>
    </message>
</context>
<context>
    <name>ChatView</name>
    <message>
        <source>Conversation</source>
        <translation>会話</translation>
    </message>
    <message>
        <source>New text below</source>
        <translation>下に続きがあります</translation>
    </message>
    <message>
        <source>Go to the new text below</source>
        <translation>下の続きに移動</translation>
    </message>
    <message>
        <source>The answer failed.</source>
        <translation>答えられませんでした。</translation>
    </message>
    <message>
        <source>Answer: {0}</source>
        <translation>答え: {0}</translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Send</source>
        <translation>送信</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>中止</translation>
    </message>
    <message>
        <source>Stop, Esc</source>
        <translation>中止、Esc</translation>
    </message>
    <message>
        <source>Stop the answer (Esc)</source>
        <translation>答えを中止 (Esc)</translation>
    </message>
    <message>
        <source>Ask about this picture…</source>
        <translation>この画像について質問…</translation>
    </message>
    <message>
        <source>Send (Enter). Shift+Enter starts a new line.</source>
        <translation>送信 (Enter)。Shift+Enter で改行します。</translation>
    </message>
</context>
<context>
    <name>ConversationList</name>
    <message>
        <source>Back</source>
        <translation>戻る</translation>
    </message>
    <message>
        <source>Back to the conversation (Esc)</source>
        <translation>会話に戻る (Esc)</translation>
    </message>
    <message>
        <source>Conversations</source>
        <translation>会話</translation>
    </message>
    <message>
        <source>New</source>
        <translation>新規</translation>
    </message>
    <message>
        <source>New conversation</source>
        <translation>新しい会話</translation>
    </message>
    <message>
        <source>Search conversations and snips</source>
        <translation>会話と切り抜きを検索</translation>
    </message>
    <message>
        <source>Conversations, newest first</source>
        <translation>会話 (新しい順)</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>元に戻す</translation>
    </message>
    <message>
        <source>Nothing found for “{0}”.</source>
        <translation>「{0}」は見つかりませんでした。</translation>
    </message>
    <message>
        <source>Nothing here yet. Ask about a picture, and it will be.</source>
        <translation>まだ何もありません。画像について質問すると、ここに並びます。</translation>
    </message>
    <message>
        <source>More than {0} found.</source>
        <translation>{0} 件を超える結果が見つかりました。</translation>
    </message>
    <message>
        <source>{0} found.</source>
        <translation>{0} 件見つかりました。</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>開く</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>名前を変更</translation>
    </message>
    <message>
        <source>Export as Markdown…</source>
        <translation>Markdown で書き出す…</translation>
    </message>
    <message>
        <source>Export as JSON…</source>
        <translation>JSON で書き出す…</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Ask about it</source>
        <translation>これについて質問</translation>
    </message>
    <message>
        <source>1 conversation deleted.</source>
        <translation>会話を 1 件削除しました。</translation>
    </message>
    <message>
        <source>{0} conversations deleted.</source>
        <translation>会話を {0} 件削除しました。</translation>
    </message>
</context>
<context>
    <name>ConversationModel</name>
    <message>
        <source>Without a question yet</source>
        <translation>まだ質問なし</translation>
    </message>
    <message>
        <source>Snip</source>
        <translation>切り抜き</translation>
    </message>
    <message>
        <source>1 question</source>
        <translation>質問 1 件</translation>
    </message>
    <message>
        <source>{0} questions</source>
        <translation>質問 {0} 件</translation>
    </message>
    <message>
        <source>{0} pictures</source>
        <translation>画像 {0} 枚</translation>
    </message>
    <message>
        <source>being answered</source>
        <translation>回答中</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>中断</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失敗</translation>
    </message>
</context>
<context>
    <name>DbusNotify</name>
    <message>
        <source>Notifications over D-Bus</source>
        <translation>D-Bus による通知</translation>
    </message>
    <message>
        <source>Start a notification service, such as dunst or mako.</source>
        <translation>dunst や mako などの通知サービスを起動してください。</translation>
    </message>
</context>
<context>
    <name>Desktop</name>
    <message>
        <source>Yomitori is ready</source>
        <translation>Yomitori の準備ができました</translation>
    </message>
    <message>
        <source>Press {0} and drag over some text.</source>
        <translation>{0} を押して、文字をドラッグで囲んでください。</translation>
    </message>
    <message>
        <source>The built-in engine reads until you download MangaOCR in the tray&apos;s menu.</source>
        <translation>MangaOCR はトレイのメニューからダウンロードできます。それまでは内蔵エンジンで読み取ります。</translation>
    </message>
    <message>
        <source>Something had to be put right</source>
        <translation>修正が必要な項目がありました</translation>
    </message>
    <message>
        <source>History paused</source>
        <translation>履歴は一時停止中</translation>
    </message>
    <message>
        <source>This desktop shows no tray</source>
        <translation>このデスクトップにはトレイがありません</translation>
    </message>
    <message>
        <source>Yomitori shows a small window instead. Closing it quits.</source>
        <translation>代わりに小さなウィンドウを表示します。閉じると Yomitori は終了します。</translation>
    </message>
    <message>
        <source>There is no history</source>
        <translation>履歴がありません</translation>
    </message>
    <message>
        <source>Run &apos;yomitori doctor&apos; to see what is wrong.</source>
        <translation>原因は「yomitori doctor」で確認できます。</translation>
    </message>
    <message>
        <source>Read a picture</source>
        <translation>画像を読み取る</translation>
    </message>
    <message>
        <source>Pictures ({0})</source>
        <translation>画像 ({0})</translation>
    </message>
</context>
<context>
    <name>DeviceBox</name>
    <message>
        <source>Automatic</source>
        <translation>自動</translation>
    </message>
    <message>
        <source>{0} (not here)</source>
        <translation>{0} (見つかりません)</translation>
    </message>
</context>
<context>
    <name>DownloadPanel</name>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>再開</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>キャンセル</translation>
    </message>
    <message>
        <source>stopping…</source>
        <translation>停止しています…</translation>
    </message>
    <message>
        <source>waiting to start</source>
        <translation>開始を待っています</translation>
    </message>
    <message>
        <source>Download of {0} stopped</source>
        <translation>{0} のダウンロードが止まりました</translation>
    </message>
    <message>
        <source>Download of {0} paused</source>
        <translation>{0} のダウンロードを一時停止しました</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>もう一度試す</translation>
    </message>
</context>
<context>
    <name>EdgeGrip</name>
    <message>
        <source>Edge of the panel</source>
        <translation>パネルの端</translation>
    </message>
    <message>
        <source>Drag it to change the width.</source>
        <translation>ドラッグすると幅が変わります。</translation>
    </message>
</context>
<context>
    <name>EnlargedPicture</name>
    <message>
        <source>Show where text was found</source>
        <translation>文字の位置を表示</translation>
    </message>
    <message>
        <source>Click an outline to select its text</source>
        <translation>枠をクリックすると、その中のテキストを選択</translation>
    </message>
    <message>
        <source>Smaller scale</source>
        <translation>縮小</translation>
    </message>
    <message>
        <source>Zoom out (Ctrl+−)</source>
        <translation>縮小 (Ctrl+−)</translation>
    </message>
    <message>
        <source>Larger scale</source>
        <translation>拡大</translation>
    </message>
    <message>
        <source>Zoom in (Ctrl++)</source>
        <translation>拡大 (Ctrl++)</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>全体</translation>
    </message>
    <message>
        <source>Fit the picture</source>
        <translation>画像全体を表示</translation>
    </message>
    <message>
        <source>Fit (Ctrl+0)</source>
        <translation>全体を表示 (Ctrl+0)</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>小さく表示</translation>
    </message>
    <message>
        <source>Conversation</source>
        <translation>会話</translation>
    </message>
    <message>
        <source>Back to the small picture (Esc)</source>
        <translation>小さい表示に戻る (Esc)</translation>
    </message>
    <message>
        <source>Back to the conversation (Esc)</source>
        <translation>会話に戻る (Esc)</translation>
    </message>
    <message>
        <source>{0} %</source>
        <translation>{0} %</translation>
    </message>
</context>
<context>
    <name>Exporting</name>
    <message>
        <source>Export the conversation</source>
        <translation>会話を書き出す</translation>
    </message>
    <message>
        <source>Markdown ({0})</source>
        <translation>Markdown ({0})</translation>
    </message>
    <message>
        <source>JSON ({0})</source>
        <translation>JSON ({0})</translation>
    </message>
    <message>
        <source>Conversation</source>
        <translation>会話</translation>
    </message>
</context>
<context>
    <name>Facts</name>
    <message>
        <source>{engine} · {seconds} s</source>
        <translation>{engine} · {seconds} 秒</translation>
    </message>
    <message>
        <source>Engine: {engine}</source>
        <translation>エンジン: {engine}</translation>
    </message>
    <message>
        <source>Device: {device}</source>
        <translation>デバイス: {device}</translation>
    </message>
    <message>
        <source>Time: {seconds} s</source>
        <translation>時間: {seconds} 秒</translation>
    </message>
    <message>
        <source>Changed by you</source>
        <translation>編集済み</translation>
    </message>
    <message>
        <source>Likelihood: {value} (the model&apos;s own, not a calibrated probability)</source>
        <translation>尤度: {value} (モデル自身の値で、較正された確率ではありません)</translation>
    </message>
</context>
<context>
    <name>FolderField</name>
    <message>
        <source>Browse…</source>
        <translation>参照…</translation>
    </message>
</context>
<context>
    <name>FolderRow</name>
    <message>
        <source>In use</source>
        <translation>使用中</translation>
    </message>
    <message>
        <source>Chosen</source>
        <translation>選択中</translation>
    </message>
    <message>
        <source>Folder {0}</source>
        <translation>フォルダー {0}</translation>
    </message>
</context>
<context>
    <name>GrimCapture</name>
    <message>
        <source>this is no Wayland session</source>
        <translation>Wayland のセッションではありません</translation>
    </message>
    <message>
        <source>Choose Automatic in Settings.</source>
        <translation>「設定」で「自動」を選んでください。</translation>
    </message>
    <message>
        <source>the program grim is not installed</source>
        <translation>grim がインストールされていません</translation>
    </message>
    <message>
        <source>Install it, for example with &apos;sudo apt install grim&apos;.</source>
        <translation>「sudo apt install grim」などでインストールしてください。</translation>
    </message>
    <message>
        <source>this desktop does not let it see the screen</source>
        <translation>このデスクトップでは grim で画面を取り込めません</translation>
    </message>
    <message>
        <source>Choose the desktop portal in Settings.</source>
        <translation>「設定」で「デスクトップポータル」を選んでください。</translation>
    </message>
    <message>
        <source>grim did not answer in time</source>
        <translation>grim が時間内に応答しませんでした</translation>
    </message>
    <message>
        <source>the picture of {0} cannot be read</source>
        <translation>{0} の画像を読み込めません</translation>
    </message>
</context>
<context>
    <name>HintLine</name>
    <message>
        <source>1 other reading</source>
        <translation>ほかの読み 1 件</translation>
    </message>
    <message>
        <source>{count} other readings</source>
        <translation>ほかの読み {count} 件</translation>
    </message>
</context>
<context>
    <name>HistoryModel</name>
    <message>
        <source>Reading…</source>
        <translation>読み取っています…</translation>
    </message>
    <message>
        <source>No text was found.</source>
        <translation>文字が見つかりませんでした。</translation>
    </message>
    <message>
        <source>edited</source>
        <translation>編集済み</translation>
    </message>
    <message>
        <source>reading it again failed</source>
        <translation>再読み取りに失敗</translation>
    </message>
    <message>
        <source>being read again</source>
        <translation>再読み取り中</translation>
    </message>
</context>
<context>
    <name>HistoryWindow</name>
    <message>
        <source>History</source>
        <translation>履歴</translation>
    </message>
    <message>
        <source>Search the text</source>
        <translation>テキストを検索</translation>
    </message>
    <message>
        <source>Clear all…</source>
        <translation>すべて削除…</translation>
    </message>
    <message>
        <source>Snips, newest first</source>
        <translation>切り抜き (新しい順)</translation>
    </message>
    <message>
        <source>Ask about it</source>
        <translation>これについて質問</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Delete the whole history with all its pictures?</source>
        <translation>履歴をすべて画像ごと削除しますか？</translation>
    </message>
    <message>
        <source>Show in the panel</source>
        <translation>パネルで表示</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>元に戻す</translation>
    </message>
    <message>
        <source>{0} conversations match.</source>
        <translation>会話が {0} 件見つかりました。</translation>
    </message>
    <message>
        <source>1 conversation matches.</source>
        <translation>会話が 1 件見つかりました。</translation>
    </message>
    <message>
        <source>More than {0} conversations match.</source>
        <translation>会話が {0} 件以上見つかりました。</translation>
    </message>
    <message>
        <source>1 snip deleted.</source>
        <translation>切り抜きを 1 件削除しました。</translation>
    </message>
    <message>
        <source>{0} snips deleted.</source>
        <translation>切り抜きを {0} 件削除しました。</translation>
    </message>
    <message>
        <source>Delete all</source>
        <translation>すべて削除</translation>
    </message>
    <message>
        <source>This cannot be undone.</source>
        <translation>この操作は元に戻せません。</translation>
    </message>
    <message>
        <source>No snip matches “{0}”.</source>
        <translation>「{0}」に一致する切り取りはありません。</translation>
    </message>
    <message>
        <source>Nothing found for “{0}”.</source>
        <translation>「{0}」は見つかりませんでした。</translation>
    </message>
    <message>
        <source>Nothing here yet. Press {0} and drag over some text.</source>
        <translation>まだ何もありません。{0} を押して、文字の上をドラッグしてください。</translation>
    </message>
    <message>
        <source>Nothing here yet. Choose Snip in the tray and drag over some text.</source>
        <translation>まだ何もありません。トレイで「切り抜き」を選んで、文字の上をドラッグしてください。</translation>
    </message>
    <message>
        <source>Retry</source>
        <translation>再試行</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>再読み取り</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>コピー</translation>
    </message>
    <message>
        <source>Copy image</source>
        <translation>画像をコピー</translation>
    </message>
    <message>
        <source>Delete {0} snips</source>
        <translation>{0} 件の切り抜きを削除</translation>
    </message>
</context>
<context>
    <name>HotkeyManager</name>
    <message>
        <source>Snip</source>
        <translation>切り抜き</translation>
    </message>
    <message>
        <source>Repeat last region</source>
        <translation>前回の範囲をもう一度読み取る</translation>
    </message>
    <message>
        <source>Go to the result card</source>
        <translation>結果カードに移動</translation>
    </message>
    <message>
        <source>Open the panel</source>
        <translation>パネルを開く</translation>
    </message>
    <message>
        <source>Snip and ask</source>
        <translation>切り抜いて質問</translation>
    </message>
    <message>
        <source>Ask about the clipboard&apos;s picture</source>
        <translation>クリップボードの画像について質問</translation>
    </message>
</context>
<context>
    <name>KeyRecorder</name>
    <message>
        <source>Use no key</source>
        <translation>キーを割り当てない</translation>
    </message>
    <message>
        <source>No key for: {0}</source>
        <translation>{0}: キーを割り当てない</translation>
    </message>
    <message>
        <source>Press the keys…</source>
        <translation>キーを押してください…</translation>
    </message>
    <message>
        <source>None</source>
        <translation>なし</translation>
    </message>
</context>
<context>
    <name>KeyRow</name>
    <message>
        <source>Key of the server</source>
        <translation>サーバーのキー</translation>
    </message>
    <message>
        <source>Only if the server asks for one. It is kept in your system&apos;s keyring, in no file of Yomitori&apos;s.</source>
        <translation>サーバーが求めるときだけ必要です。システムのキーリングに保存し、Yomitori のファイルには書きません。</translation>
    </message>
    <message>
        <source>password token API key</source>
        <translation>パスワード トークン API キー</translation>
    </message>
    <message>
        <source>Another key, to replace it</source>
        <translation>置き換える別のキー</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>置き換え</translation>
    </message>
    <message>
        <source>Store</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>{0} is set for this run, and counts for every server.</source>
        <translation>今回の起動では {0} が設定され、すべてのサーバーに使われます。</translation>
    </message>
    <message>
        <source>Set the address of the server first.</source>
        <translation>先にサーバーのアドレスを設定してください。</translation>
    </message>
    <message>
        <source>Asking the keyring…</source>
        <translation>キーリングを確認しています…</translation>
    </message>
    <message>
        <source>No key is stored.</source>
        <translation>キーは保存されていません。</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>取り除く</translation>
    </message>
    <message>
        <source>A key for {0} is stored.</source>
        <translation>{0} のキーが保存されています。</translation>
    </message>
</context>
<context>
    <name>Keys</name>
    <message>
        <source>{0} is named twice.</source>
        <translation>{0} が重複しています。</translation>
    </message>
    <message>
        <source>There is no key called “{0}”.</source>
        <translation>「{0}」というキーはありません。</translation>
    </message>
    <message>
        <source>Only one key can be pressed besides Ctrl, Alt, Shift and Super.</source>
        <translation>Ctrl、Alt、Shift、Super と組み合わせられるキーは 1 つだけです。</translation>
    </message>
    <message>
        <source>A key is missing besides Ctrl, Alt, Shift and Super.</source>
        <translation>Ctrl、Alt、Shift、Super 以外のキーも必要です。</translation>
    </message>
    <message>
        <source>Add Ctrl, Alt or Super: {0} is needed for typing.</source>
        <translation>{0} は文字入力に使うキーです。Ctrl、Alt、Super のどれかを加えてください。</translation>
    </message>
    <message>
        <source>No key was pressed.</source>
        <translation>キーが押されませんでした。</translation>
    </message>
    <message>
        <source>{0} cannot be used as a hotkey.</source>
        <translation>{0} はホットキーに使えません。</translation>
    </message>
    <message>
        <source>Another action has the same key.</source>
        <translation>別の操作に同じキーが割り当てられています。</translation>
    </message>
</context>
<context>
    <name>MacHotkeys</name>
    <message>
        <source>macOS hotkeys</source>
        <translation>macOS のホットキー</translation>
    </message>
    <message>
        <source>this is not macOS</source>
        <translation>macOS ではありません</translation>
    </message>
    <message>
        <source>Choose Automatic in Settings.</source>
        <translation>「設定」で「自動」を選んでください。</translation>
    </message>
    <message>
        <source>Macs have no such key</source>
        <translation>Mac にこのキーはありません</translation>
    </message>
    <message>
        <source>Choose another key in Settings, Capture.</source>
        <translation>「設定」の「取り込み」で別のキーを選んでください。</translation>
    </message>
</context>
<context>
    <name>MemoryRow</name>
    <message>
        <source>In memory now</source>
        <translation>メモリ上のモデル</translation>
    </message>
    <message>
        <source>Free now</source>
        <translation>今すぐ解放</translation>
    </message>
    <message>
        <source>Models are loaded again when you need them.</source>
        <translation>モデルは必要になると再び読み込まれます。</translation>
    </message>
    <message>
        <source>A model is being loaded…</source>
        <translation>モデルを読み込んでいます…</translation>
    </message>
    <message>
        <source>Nothing. Models are loaded when you need them.</source>
        <translation>なし。モデルは必要になると読み込まれます。</translation>
    </message>
    <message>
        <source>Nothing, {0} freed. Models are loaded when you need them.</source>
        <translation>なし。{0} を解放しました。モデルは必要になると読み込まれます。</translation>
    </message>
</context>
<context>
    <name>MissingModel</name>
    <message>
        <source>There is no model that could answer here.</source>
        <translation>ここで答えられるモデルがありません。</translation>
    </message>
    <message>
        <source>{0} answers questions here once it is downloaded.</source>
        <translation>ダウンロードすると {0} がここで質問に答えます。</translation>
    </message>
</context>
<context>
    <name>ModelCard</name>
    <message>
        <source>Looking for models…</source>
        <translation>モデルを探しています…</translation>
    </message>
    <message>
        <source>No model can answer</source>
        <translation>答えられるモデルがありません</translation>
    </message>
    <message>
        <source>There is no model to choose.</source>
        <translation>選べるモデルがありません。</translation>
    </message>
    <message>
        <source>{0} answers on this computer</source>
        <translation>{0} がこのコンピューターで答えます</translation>
    </message>
    <message>
        <source>Fits this computer ({0}): needs {1}, {2} free.</source>
        <translation>このコンピューター ({0}) で動きます (必要なメモリ {1}、空き {2})。</translation>
    </message>
    <message>
        <source>Ready. It is loaded when you ask.</source>
        <translation>準備完了。質問すると読み込まれます。</translation>
    </message>
    <message>
        <source>Ready, in memory now.</source>
        <translation>準備完了、メモリーにあります。</translation>
    </message>
    <message>
        <source>Its weights are converted to safetensors before its first use.</source>
        <translation>初回の使用前に重みを safetensors に変換します。</translation>
    </message>
    <message>
        <source>Recommended for this computer.</source>
        <translation>このコンピューターに推奨のモデルです。</translation>
    </message>
</context>
<context>
    <name>ModelField</name>
    <message>
        <source>Change…</source>
        <translation>変更…</translation>
    </message>
</context>
<context>
    <name>ModelGroup</name>
    <message>
        <source>Choose automatically</source>
        <translation>自動で選ぶ</translation>
    </message>
</context>
<context>
    <name>ModelOffer</name>
    <message>
        <source>Stop</source>
        <translation>中止</translation>
    </message>
    <message>
        <source>Choose another…</source>
        <translation>別のモデル…</translation>
    </message>
    <message>
        <source>Choose another model…</source>
        <translation>別のモデルを選ぶ…</translation>
    </message>
    <message>
        <source>Download ({0})</source>
        <translation>ダウンロード ({0})</translation>
    </message>
    <message>
        <source>Asking the hub…</source>
        <translation>ハブに問い合わせています…</translation>
    </message>
    <message>
        <source>Asking the hub for a newer revision…</source>
        <translation>新しいリビジョンを問い合わせています…</translation>
    </message>
    <message>
        <source>Checking the files…</source>
        <translation>ファイルを検査しています…</translation>
    </message>
    <message>
        <source>Deleting…</source>
        <translation>削除しています…</translation>
    </message>
</context>
<context>
    <name>ModelRow</name>
    <message>
        <source>Use</source>
        <translation>使う</translation>
    </message>
    <message>
        <source>Check for updates</source>
        <translation>更新を確認</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>中止</translation>
    </message>
    <message>
        <source>Download again</source>
        <translation>もう一度ダウンロード</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>一覧から外す</translation>
    </message>
    <message>
        <source>Check the files</source>
        <translation>ファイルを検査</translation>
    </message>
    <message>
        <source>Import from a folder…</source>
        <translation>フォルダーから取り込む…</translation>
    </message>
    <message>
        <source>Import from a zip file…</source>
        <translation>ZIP ファイルから取り込む…</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>削除…</translation>
    </message>
    <message>
        <source>More about {0}</source>
        <translation>{0} のその他の操作</translation>
    </message>
    <message>
        <source>Chosen automatically</source>
        <translation>自動で選択</translation>
    </message>
    <message>
        <source>Recommended here</source>
        <translation>推奨</translation>
    </message>
    <message>
        <source>In use</source>
        <translation>使用中</translation>
    </message>
    <message>
        <source>Chosen</source>
        <translation>選択中</translation>
    </message>
    <message>
        <source>licence {0}</source>
        <translation>ライセンス {0}</translation>
    </message>
    <message>
        <source>Asking the hub…</source>
        <translation>ハブに問い合わせています…</translation>
    </message>
    <message>
        <source>Asking the hub for a newer revision…</source>
        <translation>新しいリビジョンを問い合わせています…</translation>
    </message>
    <message>
        <source>Checking the files…</source>
        <translation>ファイルを検査しています…</translation>
    </message>
    <message>
        <source>Deleting…</source>
        <translation>削除しています…</translation>
    </message>
    <message>
        <source>Download it again: only what is wrong is fetched.</source>
        <translation>もう一度ダウンロードしてください。壊れたものだけを取得します。</translation>
    </message>
    <message>
        <source>Import it again: no hub knows it.</source>
        <translation>もう一度取り込んでください。どのハブにもありません。</translation>
    </message>
    <message>
        <source>A newer revision is there: {0}.</source>
        <translation>新しいリビジョンがあります: {0}。</translation>
    </message>
    <message>
        <source>The one in use stays until the new one is whole; you can go back.</source>
        <translation>新しいものがそろうまで今のものを使います。後で戻すこともできます。</translation>
    </message>
    <message>
        <source>Always use this</source>
        <translation>常にこれを使う</translation>
    </message>
    <message>
        <source>Set by {0} for this run.</source>
        <translation>今回は {0} で指定されています。</translation>
    </message>
    <message>
        <source>Update ({0})</source>
        <translation>更新 ({0})</translation>
    </message>
</context>
<context>
    <name>ModelTasks</name>
    <message>
        <source>The newest revision is in use now.</source>
        <translation>最新のリビジョンを使うようになりました。</translation>
    </message>
    <message>
        <source>This is the newest revision.</source>
        <translation>これが最新のリビジョンです。</translation>
    </message>
    <message>
        <source>Checked: all {0} files are as they should be.</source>
        <translation>検査しました。{0} 個のファイルはすべて正常です。</translation>
    </message>
    <message>
        <source>Deleted, {0} freed.</source>
        <translation>削除しました。{0} 空きました。</translation>
    </message>
    <message>
        <source>Imported from {0}.</source>
        <translation>{0} から取り込みました。</translation>
    </message>
    <message>
        <source>The earlier revision is in use again.</source>
        <translation>前のリビジョンに戻しました。</translation>
    </message>
</context>
<context>
    <name>ModelTexts</name>
    <message>
        <source>Revision {0}</source>
        <translation>リビジョン {0}</translation>
    </message>
    <message>
        <source>in use</source>
        <translation>使用中</translation>
    </message>
    <message>
        <source>current</source>
        <translation>現行</translation>
    </message>
    <message>
        <source>not complete</source>
        <translation>不完全</translation>
    </message>
    <message>
        <source>converted to safetensors</source>
        <translation>safetensors に変換済み</translation>
    </message>
    <message>
        <source>is converted to safetensors before its first use</source>
        <translation>初回の使用前に safetensors に変換します</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>取り込み済み</translation>
    </message>
    <message>
        <source>Choose one in the window “Models”: from the list, a hub id (owner/name) or a folder.</source>
        <translation>「モデル」のウィンドウで、一覧のモデル、ハブ ID (owner/name)、フォルダーのどれかを選んでください。</translation>
    </message>
    <message>
        <source>Added by you</source>
        <translation>自分で追加</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>記載なし</translation>
    </message>
    <message>
        <source>{0} of {1}</source>
        <translation>{0} / {1}</translation>
    </message>
    <message>
        <source>{0} s left</source>
        <translation>残り {0} 秒</translation>
    </message>
    <message>
        <source>{0} min left</source>
        <translation>残り {0} 分</translation>
    </message>
    <message>
        <source>{0} h {1} min left</source>
        <translation>残り {0} 時間 {1} 分</translation>
    </message>
    <message>
        <source>waiting for the network</source>
        <translation>ネットワークを待っています</translation>
    </message>
    <message>
        <source>Download…</source>
        <translation>ダウンロード…</translation>
    </message>
    <message>
        <source>Download ({0})…</source>
        <translation>ダウンロード ({0})…</translation>
    </message>
    <message>
        <source>Downloading {0}</source>
        <translation>{0} をダウンロード中</translation>
    </message>
    <message>
        <source>Checking {0}</source>
        <translation>{0} を検査中</translation>
    </message>
    <message>
        <source>Converting {0} to safetensors</source>
        <translation>{0} を safetensors に変換中</translation>
    </message>
    <message>
        <source>Importing {0}</source>
        <translation>{0} を取り込み中</translation>
    </message>
    <message>
        <source>Does not fit: needs {0} of memory, {1} free on {2}.</source>
        <translation>メモリが足りません。必要なのは {0}、空きは {1} ({2}) です。</translation>
    </message>
    <message>
        <source>Needs {0}, {1} free on {2}: will run on {3} (needs {4} there, {5} free).</source>
        <translation>必要なメモリは {0}、{2} の空きは {1} です。そのため {3} で動きます (必要 {4}、空き {5})。</translation>
    </message>
    <message>
        <source>Fits: needs {0} of memory, {1} free on {2}.</source>
        <translation>このコンピューターで動きます。必要なメモリは {0}、空きは {1} ({2}) です。</translation>
    </message>
    <message>
        <source>the CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>{0} with {1}</source>
        <translation>{0} ({1})</translation>
    </message>
    <message>
        <source>Memory needed: {0}</source>
        <translation>必要なメモリ: {0}</translation>
    </message>
    <message>
        <source>{0} is in LLaVA&apos;s original format, which cannot be loaded. Its conversion {1} is taken instead.</source>
        <translation>{0} は LLaVA の元の形式で、読み込めません。代わりに変換版の {1} を使います。</translation>
    </message>
    <message>
        <source>{0} to download, {1} free on the disk.</source>
        <translation>ダウンロード {0}、ディスクの空き {1}。</translation>
    </message>
    <message>
        <source>{0} are here already.</source>
        <translation>{0} は受信済みです。</translation>
    </message>
    <message>
        <source>Its weights come in an older format and are converted once; with the copy, {0} of disk.</source>
        <translation>重みは古い形式のため、一度だけ変換します。コピーを含めてディスクを {0} 使います。</translation>
    </message>
    <message>
        <source>Licence: {0} (open source).</source>
        <translation>ライセンス: {0} (オープンソース)。</translation>
    </message>
    <message>
        <source>Licence: {0}. It is not an open one.</source>
        <translation>ライセンス: {0}。オープンなライセンスではありません。</translation>
    </message>
    <message>
        <source>not used yet</source>
        <translation>未使用</translation>
    </message>
    <message>
        <source>used today</source>
        <translation>今日使用</translation>
    </message>
    <message>
        <source>used yesterday</source>
        <translation>昨日使用</translation>
    </message>
    <message>
        <source>unused since {0}</source>
        <translation>{0} から未使用</translation>
    </message>
    <message>
        <source>last used {0}</source>
        <translation>最終使用 {0}</translation>
    </message>
    <message>
        <source>Discard the download of {0}?</source>
        <translation>{0} のダウンロードを破棄しますか？</translation>
    </message>
    <message>
        <source>The {0} that were received are deleted.</source>
        <translation>受信済みの {0} を削除します。</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>残す</translation>
    </message>
    <message>
        <source>Pause keeps them.</source>
        <translation>一時停止なら残ります。</translation>
    </message>
    <message>
        <source>Keep downloading</source>
        <translation>ダウンロードを続ける</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>破棄する</translation>
    </message>
</context>
<context>
    <name>ModelsController</name>
    <message>
        <source>Resume the download of {0}</source>
        <translation>{0} のダウンロードを再開</translation>
    </message>
    <message>
        <source>Download {0} ({1})…</source>
        <translation>{0} をダウンロード ({1})…</translation>
    </message>
    <message>
        <source>Download {0}…</source>
        <translation>{0} をダウンロード…</translation>
    </message>
    <message>
        <source>{0} was updated</source>
        <translation>{0} を更新しました</translation>
    </message>
    <message>
        <source>It answers questions about pictures from now on.</source>
        <translation>これからは画像についての質問に答えます。</translation>
    </message>
    <message>
        <source>Settings, Asking, say that a server answers.</source>
        <translation>設定の「質問」ではサーバーが答えることになっています。</translation>
    </message>
    <message>
        <source>{0} is ready</source>
        <translation>{0} の準備ができました</translation>
    </message>
    <message>
        <source>Choose it in Settings, Models &amp; devices.</source>
        <translation>設定の「モデルとデバイス」で選んでください。</translation>
    </message>
    <message>
        <source>It reads from the next snip on.</source>
        <translation>次の切り抜きから読み取りに使います。</translation>
    </message>
    <message>
        <source>Settings, Reading, say that the built-in engine reads.</source>
        <translation>設定の「読み取り」では内蔵エンジンが選ばれています。</translation>
    </message>
    <message>
        <source>{0} are free again.</source>
        <translation>{0} を解放しました。</translation>
    </message>
    <message>
        <source>No model is in memory</source>
        <translation>メモリ上にモデルはありません</translation>
    </message>
</context>
<context>
    <name>ModelsDialog</name>
    <message>
        <source>Models</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>For reading</source>
        <translation>読み取り用</translation>
    </message>
    <message>
        <source>For asking about pictures</source>
        <translation>画像についての質問用</translation>
    </message>
    <message>
        <source>Another model</source>
        <translation>別のモデル</translation>
    </message>
    <message>
        <source>For reading, in MangaOCR&apos;s format</source>
        <translation>読み取り用 (MangaOCR の形式)</translation>
    </message>
    <message>
        <source>For asking, of the LLaVA family</source>
        <translation>質問用 (LLaVA の系統)</translation>
    </message>
    <message>
        <source>What the other model is for</source>
        <translation>別のモデルの用途</translation>
    </message>
    <message>
        <source>Hub id (owner/name) or folder</source>
        <translation>ハブ ID (owner/name) またはフォルダー</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>追加</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>参照…</translation>
    </message>
    <message>
        <source>Browse for a folder with a model</source>
        <translation>モデルのフォルダーを参照</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>取り込む…</translation>
    </message>
    <message>
        <source>Import from a folder…</source>
        <translation>フォルダーから取り込む…</translation>
    </message>
    <message>
        <source>Import from a zip file…</source>
        <translation>ZIP ファイルから取り込む…</translation>
    </message>
    <message>
        <source>For a computer without internet: take a model from files that were downloaded elsewhere.</source>
        <translation>インターネットのないコンピューターでは、別の場所でダウンロードしたファイルを取り込めます。</translation>
    </message>
    <message>
        <source>Looking for models…</source>
        <translation>モデルを探しています…</translation>
    </message>
    <message>
        <source>Kept in {0} · {1} free</source>
        <translation>保存先 {0} · 空き {1}</translation>
    </message>
    <message>
        <source>Those for asking are kept in {0}</source>
        <translation>質問用の保存先 {0}</translation>
    </message>
    <message>
        <source>A server answers now, as the settings say.</source>
        <translation>設定により、今はサーバーが答えます。</translation>
    </message>
    <message>
        <source>the model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Type a hub id, such as owner/name, or choose a folder.</source>
        <translation>owner/name のようなハブ ID を入力するか、フォルダーを選んでください。</translation>
    </message>
    <message>
        <source>Folder with a model</source>
        <translation>モデルのフォルダー</translation>
    </message>
    <message>
        <source>Import from a zip file</source>
        <translation>ZIP ファイルから取り込む</translation>
    </message>
    <message>
        <source>Import from a folder</source>
        <translation>フォルダーから取り込む</translation>
    </message>
    <message>
        <source>Zip files (*.zip)</source>
        <translation>ZIP ファイル (*.zip)</translation>
    </message>
    <message>
        <source>Delete revision {0} of {1}?</source>
        <translation>{1} のリビジョン {0} を削除しますか？</translation>
    </message>
    <message>
        <source>Delete {0}?</source>
        <translation>{0} を削除しますか？</translation>
    </message>
    <message>
        <source>{0} on the disk. It can be downloaded again.</source>
        <translation>ディスク上の {0}。もう一度ダウンロードできます。</translation>
    </message>
    <message>
        <source>Other programs that use this folder lose it, too.</source>
        <translation>このフォルダーを使うほかのプログラムからも消えます。</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>削除</translation>
    </message>
</context>
<context>
    <name>NativeCapture</name>
    <message>
        <source>The system&apos;s own capture</source>
        <translation>OS 標準の画面取り込み</translation>
    </message>
    <message>
        <source>it exists on Windows and macOS only</source>
        <translation>Windows と macOS でのみ使えます</translation>
    </message>
    <message>
        <source>Choose Automatic in Settings.</source>
        <translation>「設定」で「自動」を選んでください。</translation>
    </message>
    <message>
        <source>allow Yomitori in System Settings, Privacy &amp; Security, Screen Recording</source>
        <translation>「システム設定」の「プライバシーとセキュリティ」にある「画面収録」で Yomitori を許可してください</translation>
    </message>
</context>
<context>
    <name>OfferPanel</name>
    <message>
        <source>I have read the licence and accept it</source>
        <translation>ライセンスを読み、同意します</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>ダウンロード</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>今はしない</translation>
    </message>
    <message>
        <source>Read the licence</source>
        <translation>ライセンスを読む</translation>
    </message>
    <message>
        <source>The disk has too little room: {0} more are needed.</source>
        <translation>ディスクの空きが足りません。あと {0} 必要です。</translation>
    </message>
</context>
<context>
    <name>OptionsButton</name>
    <message>
        <source>Options…</source>
        <translation>オプション…</translation>
    </message>
</context>
<context>
    <name>Panel</name>
    <message>
        <source>Ask – Yomitori</source>
        <translation>質問 – Yomitori</translation>
    </message>
    <message>
        <source>Ask</source>
        <translation>質問</translation>
    </message>
    <message>
        <source>New snip</source>
        <translation>新しい切り抜き</translation>
    </message>
    <message>
        <source>Drag over what you want to ask about</source>
        <translation>質問したい部分をドラッグ</translation>
    </message>
    <message>
        <source>Paste</source>
        <translation>貼り付け</translation>
    </message>
    <message>
        <source>Ask about the picture in the clipboard (Ctrl+V)</source>
        <translation>クリップボードの画像について質問 (Ctrl+V)</translation>
    </message>
    <message>
        <source>More</source>
        <translation>その他</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>閉じる</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>閉じる (Esc)</translation>
    </message>
    <message>
        <source>New conversation</source>
        <translation>新しい会話</translation>
    </message>
    <message>
        <source>Snip into this conversation</source>
        <translation>切り抜いてこの会話に追加</translation>
    </message>
    <message>
        <source>Open picture…</source>
        <translation>画像を開く…</translation>
    </message>
    <message>
        <source>Earlier conversations…</source>
        <translation>以前の会話…</translation>
    </message>
    <message>
        <source>Export as Markdown…</source>
        <translation>Markdown で書き出す…</translation>
    </message>
    <message>
        <source>Export as JSON…</source>
        <translation>JSON で書き出す…</translation>
    </message>
    <message>
        <source>Copy the last answer</source>
        <translation>最後の答えをコピー</translation>
    </message>
    <message>
        <source>Delete this conversation…</source>
        <translation>この会話を削除…</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>モデル…</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>設定…</translation>
    </message>
    <message>
        <source>You can send it once the model is here.</source>
        <translation>モデルが用意できたら送信できます。</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>読み取っています…</translation>
    </message>
    <message>
        <source>No text found</source>
        <translation>文字が見つかりませんでした</translation>
    </message>
    <message>
        <source>Text read by the built-in engine</source>
        <translation>内蔵エンジンが読んだテキスト</translation>
    </message>
    <message>
        <source>Text read by {0}</source>
        <translation>{0}で読み取り</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>テキスト</translation>
    </message>
    <message>
        <source>Copied to the clipboard</source>
        <translation>クリップボードにコピーしました</translation>
    </message>
    <message>
        <source>Wait for the answer that is being written, or stop it first.</source>
        <translation>いま書かれている回答が終わるまで待つか、先に停止してください。</translation>
    </message>
    <message>
        <source>Answer this question again?</source>
        <translation>この質問に答え直しますか？</translation>
    </message>
    <message>
        <source>What was asked and answered after it is deleted when the new answer is there.</source>
        <translation>新しい答えが届くと、この後の質問と答えは削除されます。</translation>
    </message>
    <message>
        <source>Answer again</source>
        <translation>答え直す</translation>
    </message>
    <message>
        <source>Ask this again in other words?</source>
        <translation>質問を書き換えて聞き直しますか？</translation>
    </message>
    <message>
        <source>All that was asked and answered after it is deleted. This cannot be undone.</source>
        <translation>この後の質問と答えはすべて削除されます。元に戻せません。</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>聞き直す</translation>
    </message>
    <message>
        <source>Take this picture out of the conversation?</source>
        <translation>この画像を会話から外しますか？</translation>
    </message>
    <message>
        <source>It is deleted here for good, and the answers about it stay.</source>
        <translation>画像はここから完全に削除され、答えは残ります。</translation>
    </message>
    <message>
        <source>Take out</source>
        <translation>外す</translation>
    </message>
    <message>
        <source>Delete this conversation with its pictures?</source>
        <translation>この会話を画像とともに削除しますか？</translation>
    </message>
    <message>
        <source>Delete this and all that follows?</source>
        <translation>これと、この後をすべて削除しますか？</translation>
    </message>
    <message>
        <source>This cannot be undone.</source>
        <translation>この操作は元に戻せません。</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Only links to web pages are opened: {0}</source>
        <translation>開けるのはウェブページへのリンクだけです: {0}</translation>
    </message>
    <message>
        <source>Reading the text in the picture…</source>
        <translation>画像の文字を読み取っています…</translation>
    </message>
    <message>
        <source>Loading the model…</source>
        <translation>モデルを読み込んでいます…</translation>
    </message>
    <message>
        <source>Looking at the picture…</source>
        <translation>画像を見ています…</translation>
    </message>
    <message>
        <source>Reading the question…</source>
        <translation>質問を読んでいます…</translation>
    </message>
    <message>
        <source>Waiting for the answer…</source>
        <translation>答えを待っています…</translation>
    </message>
    <message>
        <source>about {0} tokens/s</source>
        <translation>約 {0} トークン/秒</translation>
    </message>
    <message>
        <source>No server is set yet. Choose Settings in the menu above.</source>
        <translation>サーバーが未設定です。上のメニューから設定を開いてください。</translation>
    </message>
    <message>
        <source>pictures stay on this computer</source>
        <translation>画像はこのパソコンから出ません</translation>
    </message>
    <message>
        <source>pictures leave this computer</source>
        <translation>画像はこのパソコンの外に送られます</translation>
    </message>
    <message>
        <source>The model is loaded when you ask.</source>
        <translation>モデルは質問時に読み込み。</translation>
    </message>
</context>
<context>
    <name>PanelController</name>
    <message>
        <source>Ask about a picture</source>
        <translation>画像について質問</translation>
    </message>
    <message>
        <source>Pictures ({0})</source>
        <translation>画像 ({0})</translation>
    </message>
    <message>
        <source>There is no history</source>
        <translation>履歴がありません</translation>
    </message>
    <message>
        <source>The conversation was deleted; nothing was exported.</source>
        <translation>会話が削除されたため、何も書き出しませんでした。</translation>
    </message>
    <message>
        <source>Exported to {0}</source>
        <translation>{0} に書き出しました</translation>
    </message>
</context>
<context>
    <name>PanelDock</name>
    <message>
        <source>Keeping the panel&apos;s place free</source>
        <translation>パネルの場所の確保</translation>
    </message>
    <message>
        <source>this desktop does not let windows do that</source>
        <translation>このデスクトップではできません</translation>
    </message>
    <message>
        <source>Turn off &apos;Keep its place free&apos; in Settings.</source>
        <translation>「設定」で「場所を確保」をオフにしてください。</translation>
    </message>
</context>
<context>
    <name>PictureDrop</name>
    <message>
        <source>Drop the pictures here</source>
        <translation>画像をここにドロップ</translation>
    </message>
    <message>
        <source>Drop the picture here</source>
        <translation>画像をここにドロップ</translation>
    </message>
</context>
<context>
    <name>PictureInput</name>
    <message>
        <source>The picture</source>
        <translation>画像</translation>
    </message>
    <message>
        <source>{0} is on another computer. Copy it here first.</source>
        <translation>{0} は別のコンピューターにあります。先にこのコンピューターにコピーしてください。</translation>
    </message>
    <message>
        <source>Nothing is fetched from the web. Copy the picture itself, or save it and drop the file.</source>
        <translation>ウェブからは何も取得しません。画像そのものをコピーするか、保存してファイルをドロップしてください。</translation>
    </message>
    <message>
        <source>The other program&apos;s picture cannot be read. Save it and drop the file.</source>
        <translation>ほかのプログラムの画像を読み込めません。保存してファイルをドロップしてください。</translation>
    </message>
</context>
<context>
    <name>PicturePane</name>
    <message>
        <source>Given to the model as text</source>
        <translation>テキストとしてモデルに渡す</translation>
    </message>
    <message>
        <source>The model gets this text with your question and need not read the picture itself</source>
        <translation>このテキストを質問と一緒に渡すので、モデルが画像の文字を読む必要がなくなります</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>コピー</translation>
    </message>
    <message>
        <source>Copy the text</source>
        <translation>テキストをコピー</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>再読み取り</translation>
    </message>
    <message>
        <source>Read the text in the picture once more</source>
        <translation>画像の文字をもう一度読み取る</translation>
    </message>
    <message>
        <source>{0} · edited</source>
        <translation>{0} · 編集済み</translation>
    </message>
    <message>
        <source>No text</source>
        <translation>テキストなし</translation>
    </message>
    <message>
        <source>Picture, {width} × {height} pixels</source>
        <translation>画像、{width} × {height} ピクセル</translation>
    </message>
</context>
<context>
    <name>PictureStrip</name>
    <message>
        <source>Pictures of this conversation</source>
        <translation>この会話の画像</translation>
    </message>
</context>
<context>
    <name>PictureText</name>
    <message>
        <source>Text of the picture</source>
        <translation>画像のテキスト</translation>
    </message>
    <message>
        <source>Correct it here if it was not read well</source>
        <translation>正しく読めていなければ、ここで直せます</translation>
    </message>
</context>
<context>
    <name>PortalCapture</name>
    <message>
        <source>Install xdg-desktop-portal and the backend of your desktop, such as xdg-desktop-portal-gnome.</source>
        <translation>xdg-desktop-portal と、お使いのデスクトップ用のバックエンド (xdg-desktop-portal-gnome など) をインストールしてください。</translation>
    </message>
    <message>
        <source>The desktop&apos;s screenshot portal</source>
        <translation>デスクトップのスクリーンショットポータル</translation>
    </message>
    <message>
        <source>it was declined</source>
        <translation>許可されませんでした</translation>
    </message>
    <message>
        <source>the desktop ended the request</source>
        <translation>デスクトップが要求を中断しました</translation>
    </message>
    <message>
        <source>the desktop gave no picture</source>
        <translation>デスクトップから画像が届きませんでした</translation>
    </message>
    <message>
        <source>the picture of the desktop cannot be read</source>
        <translation>デスクトップの画像を読み込めません</translation>
    </message>
    <message>
        <source>the picture does not show the whole desktop</source>
        <translation>デスクトップの一部しか写っていません</translation>
    </message>
</context>
<context>
    <name>PortalHotkeys</name>
    <message>
        <source>The desktop&apos;s shortcut portal</source>
        <translation>デスクトップのショートカットポータル</translation>
    </message>
    <message>
        <source>Bind the command &apos;yomitori capture&apos; to a key in the desktop&apos;s own settings.</source>
        <translation>デスクトップの設定で、コマンド「yomitori capture」をキーに割り当ててください。</translation>
    </message>
</context>
<context>
    <name>PromptChips</name>
    <message>
        <source>More prompts</source>
        <translation>その他のプロンプト</translation>
    </message>
</context>
<context>
    <name>PromptsEditor</name>
    <message>
        <source>Prompts</source>
        <translation>プロンプト</translation>
    </message>
    <message>
        <source>The quick actions of the panel. The first nine have keys there.</source>
        <translation>パネルのクイック操作です。最初の 9 個にはキーがあります。</translation>
    </message>
    <message>
        <source>Alt+Up and Alt+Down move one, Delete deletes it.</source>
        <translation>Alt+Up と Alt+Down で移動、Delete で削除します。</translation>
    </message>
    <message>
        <source>Move up</source>
        <translation>上へ</translation>
    </message>
    <message>
        <source>Move down</source>
        <translation>下へ</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>追加</translation>
    </message>
    <message>
        <source>Add a prompt</source>
        <translation>プロンプトを追加</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Delete this prompt</source>
        <translation>このプロンプトを削除</translation>
    </message>
    <message>
        <source>Reset to the defaults…</source>
        <translation>初期値に戻す…</translation>
    </message>
    <message>
        <source>Title</source>
        <translation>題名</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>本文</translation>
    </message>
    <message>
        <source>Insert {0}</source>
        <translation>{0} を挿入</translation>
    </message>
    <message>
        <source>A line whose variable is empty is left out.</source>
        <translation>変数が空の行は省かれます。</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>元に戻す</translation>
    </message>
    <message>
        <source>{0} is not a variable: it is sent as written.</source>
        <translation>{0} は変数ではないので、そのまま送られます。</translation>
    </message>
    <message>
        <source>{0} are not variables: they are sent as written.</source>
        <translation>{0} は変数ではないので、そのまま送られます。</translation>
    </message>
    <message>
        <source>New prompt</source>
        <translation>新しいプロンプト</translation>
    </message>
    <message>
        <source>“{0}” deleted.</source>
        <translation>「{0}」を削除しました。</translation>
    </message>
    <message>
        <source>Reset all prompts to the defaults?</source>
        <translation>すべてのプロンプトを初期値に戻しますか？</translation>
    </message>
    <message>
        <source>Those that you wrote or changed are deleted. This cannot be undone.</source>
        <translation>作成・変更したものは削除されます。この操作は元に戻せません。</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>戻す</translation>
    </message>
</context>
<context>
    <name>QAbstractFileIconProvider</name>
    <message>
        <source>Drive</source>
        <translation>ドライブ</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>フォルダー</translation>
    </message>
</context>
<context>
    <name>QFileDialog</name>
    <message>
        <source>&amp;Look in:</source>
        <translation>場所(&amp;L):</translation>
    </message>
    <message>
        <source>Files of &amp;type:</source>
        <translation>ファイルの種類(&amp;T):</translation>
    </message>
</context>
<context>
    <name>QtClipboard</name>
    <message>
        <source>a newer text took its place</source>
        <translation>新しいテキストに置き換えられました</translation>
    </message>
    <message>
        <source>another program holds on to it</source>
        <translation>別のプログラムがクリップボードを使用しています</translation>
    </message>
</context>
<context>
    <name>QuestionEditor</name>
    <message>
        <source>Your question</source>
        <translation>あなたの質問</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>送信</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>キャンセル</translation>
    </message>
</context>
<context>
    <name>QuestionField</name>
    <message>
        <source>Question</source>
        <translation>質問</translation>
    </message>
    <message>
        <source>Enter sends it, Shift+Enter starts a new line.</source>
        <translation>Enter で送信、Shift+Enter で改行します。</translation>
    </message>
</context>
<context>
    <name>QuestionTurn</name>
    <message>
        <source>Question</source>
        <translation>質問</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>編集</translation>
    </message>
    <message>
        <source>Edit the question</source>
        <translation>質問を編集</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>コピー</translation>
    </message>
</context>
<context>
    <name>ReadText</name>
    <message>
        <source>{character}: likelihood {value}</source>
        <translation>{character}: 尤度 {value}</translation>
    </message>
</context>
<context>
    <name>Reasons</name>
    <message>
        <source>there are only {0}</source>
        <translation>全部で {0} 台しかありません</translation>
    </message>
    <message>
        <source>there is no folder {0}</source>
        <translation>フォルダー {0} がありません</translation>
    </message>
    <message>
        <source>no answer for {0} s</source>
        <translation>{0} 秒間応答がありません</translation>
    </message>
    <message>
        <source>{0} sets it for this run</source>
        <translation>今回の起動では {0} で指定されています</translation>
    </message>
    <message>
        <source>{0} is no name or address alone, such as manga.example.org or 192.168.1.5</source>
        <translation>{0} は名前やアドレスだけの形ではありません。例: manga.example.org、192.168.1.5</translation>
    </message>
    <message>
        <source>{0} is no origin, such as https://reader.example.org</source>
        <translation>{0} は生成元の形ではありません。例: https://reader.example.org</translation>
    </message>
    <message>
        <source>{0} is no server, such as example.org, *.example.org or example.org:8080</source>
        <translation>{0} はサーバーの形ではありません。例: example.org、*.example.org、example.org:8080</translation>
    </message>
    <message>
        <source>the zip file cannot be read ({0})</source>
        <translation>ZIP ファイルを読めません ({0})</translation>
    </message>
    <message>
        <source>it holds {0}: say which one</source>
        <translation>{0} が入っています。どれかを指定してください</translation>
    </message>
    <message>
        <source>it holds {0}, not {1}</source>
        <translation>入っているのは {0} で、{1} ではありません</translation>
    </message>
    <message>
        <source>there are several: {0}</source>
        <translation>複数あります: {0}</translation>
    </message>
    <message>
        <source>it is a model of the type {0}</source>
        <translation>種類が {0} のモデルです</translation>
    </message>
    <message>
        <source>it is in LLaVA&apos;s original format, take {0} instead</source>
        <translation>LLaVA の元の形式です。代わりに {0} を使ってください</translation>
    </message>
    <message>
        <source>it is a {0} and not in MangaOCR&apos;s format</source>
        <translation>種類が {0} で、MangaOCR の形式ではありません</translation>
    </message>
    <message>
        <source>it is of the type {0}, which cannot be asked about pictures</source>
        <translation>{0} という種類で、画像について質問できません</translation>
    </message>
    <message>
        <source>it is of the type {0}, which needs code of its own, and nobody&apos;s code is run here</source>
        <translation>{0} という種類で、独自のコードが必要です。ここでは他人のコードを実行しません</translation>
    </message>
    <message>
        <source>it does not take this conversation ({0})</source>
        <translation>この会話を受け付けません ({0})</translation>
    </message>
    <message>
        <source>it answers with the status {0}</source>
        <translation>ステータス {0} が返されました</translation>
    </message>
    <message>
        <source>its {0} holds no weights</source>
        <translation>{0} に重みがありません</translation>
    </message>
    <message>
        <source>its {0} is no plain list of weights</source>
        <translation>{0} が重みだけの一覧ではありません</translation>
    </message>
    <message>
        <source>its {0} is damaged ({1})</source>
        <translation>{0} が壊れています ({1})</translation>
    </message>
    <message>
        <source>the hub tells no size or sum of {0}</source>
        <translation>ハブが {0} のサイズもチェックサムも示しません</translation>
    </message>
    <message>
        <source>{0} is missing in {1}</source>
        <translation>{1} に {0} がありません</translation>
    </message>
    <message>
        <source>{0} was changed meanwhile</source>
        <translation>{0} が途中で変更されました</translation>
    </message>
    <message>
        <source>{0} cannot be read ({1})</source>
        <translation>{0} を読めません ({1})</translation>
    </message>
    <message>
        <source>{0} cannot be read</source>
        <translation>{0} を読めません</translation>
    </message>
    <message>
        <source>{0} is too large</source>
        <translation>{0} が大きすぎます</translation>
    </message>
    <message>
        <source>{0} is not complete</source>
        <translation>{0} が途中で切れています</translation>
    </message>
    <message>
        <source>{0} is empty</source>
        <translation>{0} が空です</translation>
    </message>
    <message>
        <source>{0} is damaged</source>
        <translation>{0} が壊れています</translation>
    </message>
    <message>
        <source>{0} is missing</source>
        <translation>{0} がありません</translation>
    </message>
</context>
<context>
    <name>ResultCard</name>
    <message>
        <source>Text that was read</source>
        <translation>読み取ったテキスト</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>閉じる</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>閉じる (Esc)</translation>
    </message>
    <message>
        <source>Reading</source>
        <translation>読み取り中</translation>
    </message>
    <message>
        <source>Ask</source>
        <translation>質問</translation>
    </message>
    <message>
        <source>Ask about the picture in the side panel</source>
        <translation>サイドパネルで画像について質問</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>コピー</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>再読み取り</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>編集</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完了</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>キャンセル</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>読み取っています…</translation>
    </message>
    <message>
        <source>Quick reading. {engine} is still reading…</source>
        <translation>簡易読み取りです。{engine} が読み取っています…</translation>
    </message>
    <message>
        <source>No text found.</source>
        <translation>文字が見つかりませんでした。</translation>
    </message>
    <message>
        <source>Leave a little room around the text, or read again.</source>
        <translation>文字のまわりに少し余白を残すか、再読み取りしてください。</translation>
    </message>
    <message>
        <source>{engine} reads it differently.</source>
        <translation>{engine} の読みは違います。</translation>
    </message>
    <message>
        <source>{engine} found no text.</source>
        <translation>{engine} では文字が見つかりませんでした。</translation>
    </message>
    <message>
        <source>Read by the built-in engine.</source>
        <translation>内蔵エンジンで読み取りました。</translation>
    </message>
    <message>
        <source>Not sure about this one.</source>
        <translation>正しく読めていないかもしれません。</translation>
    </message>
    <message>
        <source>Converting the model once…</source>
        <translation>モデルを変換しています (初回のみ)…</translation>
    </message>
    <message>
        <source>Converting the model once… {0} %</source>
        <translation>モデルを変換しています (初回のみ)… {0} %</translation>
    </message>
    <message>
        <source>Quick reading. {0}</source>
        <translation>簡易読み取りです。{0}</translation>
    </message>
    <message>
        <source>{engine} agrees.</source>
        <translation>{engine} も同じ読みです。</translation>
    </message>
    <message>
        <source>Now as {engine} reads it.</source>
        <translation>{engine} の読みに置き換えました。</translation>
    </message>
    <message>
        <source>MangaOCR was not sure. The built-in engine&apos;s reading was kept.</source>
        <translation>MangaOCR は確信がなかったため、内蔵エンジンの読み取りを採用しました。</translation>
    </message>
    <message>
        <source>{problem} The built-in engine read this.</source>
        <translation>{problem}内蔵エンジンで読み取りました。</translation>
    </message>
    <message>
        <source>A less likely reading</source>
        <translation>可能性がやや低い読み</translation>
    </message>
    <message>
        <source>Read with light and dark swapped</source>
        <translation>明暗を反転して読み取り</translation>
    </message>
    <message>
        <source>Read enlarged</source>
        <translation>拡大して読み取り</translation>
    </message>
    <message>
        <source>Read by {engine}.</source>
        <translation>{engine} で読み取りました。</translation>
    </message>
    <message>
        <source>{engine} is still reading…</source>
        <translation>{engine} が読み取っています…</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>再試行</translation>
    </message>
    <message>
        <source>Copied ✓</source>
        <translation>コピー済み ✓</translation>
    </message>
</context>
<context>
    <name>RevisionLine</name>
    <message>
        <source>Go back to this</source>
        <translation>これに戻す</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>削除…</translation>
    </message>
</context>
<context>
    <name>RouteRow</name>
    <message>
        <source>Where pictures go</source>
        <translation>画像の送り先</translation>
    </message>
    <message>
        <source>No server is set.</source>
        <translation>サーバーが設定されていません。</translation>
    </message>
    <message>
        <source>Looking up {0}…</source>
        <translation>{0} を調べています…</translation>
    </message>
    <message>
        <source>Nowhere: this computer answers.</source>
        <translation>どこにも送りません。このコンピューターが答えます。</translation>
    </message>
    <message>
        <source>Pictures stay on this computer.</source>
        <translation>画像はこのコンピューターの外に出ません。</translation>
    </message>
    <message>
        <source>Pictures leave this computer: they go to {0} when you ask, not before.</source>
        <translation>画像はこのコンピューターの外に送られます。{0} に送るのは質問したときだけです。</translation>
    </message>
</context>
<context>
    <name>RowNotes</name>
    <message>
        <source>In use: {0}</source>
        <translation>使用中: {0}</translation>
    </message>
    <message>
        <source>Resume the download…</source>
        <translation>ダウンロードを再開…</translation>
    </message>
    <message>
        <source>The built-in engine reads until MangaOCR is on this computer.</source>
        <translation>MangaOCR がこのコンピューターに入るまでは内蔵エンジンで読み取ります。</translation>
    </message>
    <message>
        <source>MangaOCR is not on this computer yet, so nothing can be read with it.</source>
        <translation>MangaOCR はまだこのコンピューターにないため、読み取れません。</translation>
    </message>
    <message>
        <source>The weights are converted once, when they are first needed. The built-in engine reads until then.</source>
        <translation>重みは最初に必要になったときに一度だけ変換します。それまでは内蔵エンジンで読み取ります。</translation>
    </message>
    <message>
        <source>{0} reads, and is loaded when you need it.</source>
        <translation>{0} で読み取ります。必要になると読み込まれます。</translation>
    </message>
    <message>
        <source>In memory now: {0}.</source>
        <translation>今メモリにあります: {0}。</translation>
    </message>
    <message>
        <source>not on this computer yet</source>
        <translation>まだこのコンピューターにありません</translation>
    </message>
    <message>
        <source>revision {0}</source>
        <translation>リビジョン {0}</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>もう一度試す</translation>
    </message>
    <message>
        <source>{0} is not there now. The CPU is used instead.</source>
        <translation>{0} は今ありません。代わりに CPU を使います。</translation>
    </message>
    <message>
        <source>At the moment: {0}</source>
        <translation>今は {0} です</translation>
    </message>
    <message>
        <source>{0} here, needs {1}.</source>
        <translation>このコンピューターでは「{0}」になり、メモリを {1} 使います。</translation>
    </message>
    <message>
        <source>Nothing is in memory now.</source>
        <translation>今メモリにモデルはありません。</translation>
    </message>
    <message>
        <source>Frees {0}.</source>
        <translation>{0} を解放します。</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>コマンドをコピー</translation>
    </message>
    <message>
        <source>In use: {0} · {1} free</source>
        <translation>使用中: {0} · 空き {1}</translation>
    </message>
</context>
<context>
    <name>SavedNote</name>
    <message>
        <source>Show the folder</source>
        <translation>フォルダーを表示</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>閉じる</translation>
    </message>
    <message>
        <source>Exported to {0}</source>
        <translation>{0} に書き出しました</translation>
    </message>
</context>
<context>
    <name>ServerCard</name>
    <message>
        <source>Answer on this computer</source>
        <translation>このパソコンで答える</translation>
    </message>
    <message>
        <source>Change…</source>
        <translation>変更…</translation>
    </message>
    <message>
        <source>Connect…</source>
        <translation>接続…</translation>
    </message>
    <message>
        <source>Change the server…</source>
        <translation>サーバーを変更…</translation>
    </message>
    <message>
        <source>Connect to a server…</source>
        <translation>サーバーに接続…</translation>
    </message>
    <message>
        <source>A server you run</source>
        <translation>自分のサーバー</translation>
    </message>
    <message>
        <source>vLLM, Ollama, LM Studio or Yomitori on another machine. Pictures leave this computer.</source>
        <translation>別のコンピューターの vLLM、Ollama、LM Studio、Yomitori。画像はこのコンピューターの外に送られます。</translation>
    </message>
    <message>
        <source>A server should answer</source>
        <translation>サーバーが答える設定です</translation>
    </message>
    <message>
        <source>No server is set yet.</source>
        <translation>サーバーがまだ設定されていません。</translation>
    </message>
    <message>
        <source>No model of {0} is chosen yet.</source>
        <translation>{0} のモデルがまだ選ばれていません。</translation>
    </message>
    <message>
        <source>{0} answers</source>
        <translation>{0} が答えます</translation>
    </message>
    <message>
        <source>On the server {0}</source>
        <translation>サーバー {0}</translation>
    </message>
    <message>
        <source>Pictures stay on this computer.</source>
        <translation>画像はこのコンピューターの外に出ません。</translation>
    </message>
    <message>
        <source>Pictures leave this computer.</source>
        <translation>画像はこのコンピューターの外に送られます。</translation>
    </message>
    <message>
        <source>They are sent when you ask, not before.</source>
        <translation>送られるのは質問したときだけです。</translation>
    </message>
</context>
<context>
    <name>ServiceNotes</name>
    <message>
        <source>Starting…</source>
        <translation>開始しています…</translation>
    </message>
    <message>
        <source>Listens at {0}</source>
        <translation>{0} で待ち受けています</translation>
    </message>
    <message>
        <source>Listens at every address of this computer, port {0}</source>
        <translation>このパソコンのすべてのアドレスのポート {0} で待ち受けています</translation>
    </message>
    <message>
        <source>Open its page</source>
        <translation>ページを開く</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>もう一度試す</translation>
    </message>
    <message>
        <source>The token is in the keyring.</source>
        <translation>トークンはキーリングにあります。</translation>
    </message>
    <message>
        <source>The token is in {0}</source>
        <translation>トークンは {0} にあります</translation>
    </message>
    <message>
        <source>The token was copied.</source>
        <translation>トークンをコピーしました。</translation>
    </message>
    <message>
        <source>Copy the token</source>
        <translation>トークンをコピー</translation>
    </message>
</context>
<context>
    <name>SettingRow</name>
    <message>
        <source>Restore default</source>
        <translation>初期値に戻す</translation>
    </message>
    <message>
        <source>Restore default: {0}</source>
        <translation>初期値に戻す: {0}</translation>
    </message>
    <message>
        <source>Set by {0} for this run.</source>
        <translation>今回の起動では {0} で指定されています。</translation>
    </message>
</context>
<context>
    <name>SettingsDialog</name>
    <message>
        <source>Settings</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>Search settings</source>
        <translation>設定を検索</translation>
    </message>
    <message>
        <source>Groups of settings</source>
        <translation>設定のグループ</translation>
    </message>
    <message>
        <source>About</source>
        <translation>このアプリについて</translation>
    </message>
    <message>
        <source>Nothing found for “{0}”.</source>
        <translation>「{0}」は見つかりませんでした。</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>バージョン</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>ライセンス</translation>
    </message>
    <message>
        <source>History</source>
        <translation>履歴</translation>
    </message>
    <message>
        <source>Cache</source>
        <translation>キャッシュ</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>ログ</translation>
    </message>
</context>
<context>
    <name>SeveralPictures</name>
    <message>
        <source>Ask about the last one alone</source>
        <translation>最後の画像だけについて質問する</translation>
    </message>
    <message>
        <source>Begins a conversation with the last picture</source>
        <translation>最後の画像で新しい会話を始めます</translation>
    </message>
    <message>
        <source>Take the last one out</source>
        <translation>最後の画像を外す</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>モデル…</translation>
    </message>
</context>
<context>
    <name>SmallWindow</name>
    <message>
        <source>Yomitori</source>
        <translation>Yomitori</translation>
    </message>
    <message>
        <source>Yomitori is running</source>
        <translation>Yomitori は起動しています</translation>
    </message>
    <message>
        <source>This desktop shows no tray, so here is what the tray&apos;s menu would hold.</source>
        <translation>このデスクトップにはトレイがないため、トレイのメニューをここに表示しています。</translation>
    </message>
    <message>
        <source>More</source>
        <translation>その他</translation>
    </message>
    <message>
        <source>More actions</source>
        <translation>その他の操作</translation>
    </message>
</context>
<context>
    <name>SnipController</name>
    <message>
        <source>Nothing to repeat yet</source>
        <translation>読み取った範囲がまだありません</translation>
    </message>
    <message>
        <source>Snip a region first.</source>
        <translation>先に範囲を切り抜いてください。</translation>
    </message>
    <message>
        <source>That screen is gone</source>
        <translation>その画面はもうありません</translation>
    </message>
    <message>
        <source>The last region was on a screen that is not there.</source>
        <translation>前回の範囲があった画面が接続されていません。</translation>
    </message>
    <message>
        <source>The snip</source>
        <translation>切り抜き</translation>
    </message>
    <message>
        <source>That was too small to read</source>
        <translation>小さすぎて読み取れません</translation>
    </message>
    <message>
        <source>Drag over the whole bubble, or double-click it.</source>
        <translation>吹き出し全体をドラッグするか、ダブルクリックしてください。</translation>
    </message>
    <message>
        <source>No text found</source>
        <translation>文字が見つかりませんでした</translation>
    </message>
    <message>
        <source>Try a tighter or larger region.</source>
        <translation>範囲を狭くするか広くして、もう一度お試しください。</translation>
    </message>
    <message>
        <source>Text read</source>
        <translation>読み取りました</translation>
    </message>
    <message>
        <source>The picture in the clipboard was left alone.</source>
        <translation>クリップボードの画像は残しました。</translation>
    </message>
</context>
<context>
    <name>SnipWindow</name>
    <message>
        <source>Choose what to read</source>
        <translation>読み取る範囲を選択</translation>
    </message>
    <message>
        <source>Arrow keys move the cursor, with Shift by 10 pixels. Space or Enter fixes the first corner, then arrow keys size the selection and Ctrl with arrow keys moves it. Enter reads, Escape cancels.</source>
        <translation>矢印キーでカーソルを動かします。Shift を押すと 10 ピクセルずつ動きます。Space か Enter で最初の角を決め、矢印キーで大きさを変え、Ctrl と矢印キーで移動します。Enter で読み取り、Esc でキャンセルします。</translation>
    </message>
    <message>
        <source>No text found here. Drag over what you want to read.</source>
        <translation>ここには文字が見つかりません。読み取りたい部分をドラッグしてください。</translation>
    </message>
    <message>
        <source>Looking for the text here…</source>
        <translation>ここの文字を探しています…</translation>
    </message>
    <message>
        <source>let go to read</source>
        <translation>離すと読み取り</translation>
    </message>
    <message>
        <source>let go to ask</source>
        <translation>離すと質問</translation>
    </message>
    <message>
        <source>&lt;b&gt;Space&lt;/b&gt; move</source>
        <translation>&lt;b&gt;Space&lt;/b&gt; 移動</translation>
    </message>
    <message>
        <source>&lt;b&gt;Esc&lt;/b&gt; cancel</source>
        <translation>&lt;b&gt;Esc&lt;/b&gt; キャンセル</translation>
    </message>
    <message>
        <source>&lt;b&gt;arrows&lt;/b&gt; size</source>
        <translation>&lt;b&gt;矢印&lt;/b&gt; サイズ変更</translation>
    </message>
    <message>
        <source>&lt;b&gt;Ctrl+arrows&lt;/b&gt; move</source>
        <translation>&lt;b&gt;Ctrl+矢印&lt;/b&gt; 移動</translation>
    </message>
    <message>
        <source>&lt;b&gt;Enter&lt;/b&gt; read</source>
        <translation>&lt;b&gt;Enter&lt;/b&gt; 読み取り</translation>
    </message>
    <message>
        <source>&lt;b&gt;Enter&lt;/b&gt; ask</source>
        <translation>&lt;b&gt;Enter&lt;/b&gt; 質問</translation>
    </message>
    <message>
        <source>drag to read</source>
        <translation>ドラッグで読み取り</translation>
    </message>
    <message>
        <source>drag to ask</source>
        <translation>ドラッグして質問</translation>
    </message>
    <message>
        <source>&lt;b&gt;double click&lt;/b&gt; a bubble</source>
        <translation>&lt;b&gt;ダブルクリック&lt;/b&gt; 吹き出し</translation>
    </message>
    <message>
        <source>&lt;b&gt;arrows&lt;/b&gt; move</source>
        <translation>&lt;b&gt;矢印&lt;/b&gt; 移動</translation>
    </message>
    <message>
        <source>&lt;b&gt;Enter&lt;/b&gt; first corner</source>
        <translation>&lt;b&gt;Enter&lt;/b&gt; 最初の角</translation>
    </message>
</context>
<context>
    <name>State</name>
    <message>
        <source>CPU ({0} RAM)</source>
        <translation>CPU (RAM {0})</translation>
    </message>
    <message>
        <source>Apple GPU (shares {0} RAM)</source>
        <translation>Apple GPU (RAM {0} を共有)</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>Apple GPU</source>
        <translation>Apple GPU</translation>
    </message>
    <message>
        <source>{0} + {1} on the graphics card</source>
        <translation>{0} + グラフィックカード上に {1}</translation>
    </message>
    <message>
        <source>{engine}: loading…</source>
        <translation>エンジン ({engine}): 読み込み中…</translation>
    </message>
    <message>
        <source>{engine}: reading</source>
        <translation>エンジン ({engine}): 読み取り中</translation>
    </message>
    <message>
        <source>{engine}: ready, {memory} in use</source>
        <translation>エンジン ({engine}): 準備完了、{memory} 使用中</translation>
    </message>
    <message>
        <source>{engine}: ready on {device}, {memory} in use</source>
        <translation>{engine}: {device} で準備完了、{memory} 使用中</translation>
    </message>
    <message>
        <source>No model in memory, {0} freed</source>
        <translation>メモリ上にモデルなし、{0} を解放</translation>
    </message>
    <message>
        <source>No model in memory</source>
        <translation>メモリ上のモデルはありません</translation>
    </message>
</context>
<context>
    <name>Stepper</name>
    <message>
        <source>Previous reading</source>
        <translation>前の読み</translation>
    </message>
    <message>
        <source>Next reading</source>
        <translation>次の読み</translation>
    </message>
    <message>
        <source>Reading {place} of {count}</source>
        <translation>{count} 件中 {place} 件目の読み</translation>
    </message>
</context>
<context>
    <name>TestRow</name>
    <message>
        <source>Test the server</source>
        <translation>サーバーをテスト</translation>
    </message>
    <message>
        <source>Asks the server which models it has. No picture and no question is sent.</source>
        <translation>サーバーにあるモデルを問い合わせます。画像や質問は送りません。</translation>
    </message>
    <message>
        <source>Models of the server</source>
        <translation>サーバーのモデル</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>中止</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>テスト</translation>
    </message>
    <message>
        <source>Stop the test</source>
        <translation>テストを中止</translation>
    </message>
    <message>
        <source>Asking {0}…</source>
        <translation>{0} に問い合わせています…</translation>
    </message>
    <message>
        <source>Asking {0}… {1} s</source>
        <translation>{0} に問い合わせています… {1} 秒</translation>
    </message>
    <message>
        <source>{0} answered in {1}, but has no model called {2}. Choose one of its models below.</source>
        <translation>{0} は {1} で応答しましたが、{2} というモデルはありません。下からモデルを選んでください。</translation>
    </message>
    <message>
        <source>Works: {0} answered in {1}. It does not say which models it has.</source>
        <translation>使えます: {0} は {1} で応答しました。どのモデルがあるかは分かりません。</translation>
    </message>
    <message>
        <source>Works: {0} answered in {1}. Choose one of its models below.</source>
        <translation>使えます: {0} は {1} で応答しました。下からモデルを選んでください。</translation>
    </message>
    <message>
        <source>Works: {0} answered in {1}, and has {2}.</source>
        <translation>使えます: {0} は {1} で応答し、{2} があります。</translation>
    </message>
    <message>
        <source>It is reached through the proxy {0}.</source>
        <translation>プロキシ {0} を通して接続しています。</translation>
    </message>
    <message>
        <source>The key you typed was used. It is not stored yet.</source>
        <translation>入力したキーを使いました。まだ保存されていません。</translation>
    </message>
    <message>
        <source>Choose a model of the server</source>
        <translation>サーバーのモデルを選ぶ</translation>
    </message>
</context>
<context>
    <name>Thumbnail</name>
    <message>
        <source>Remove the picture</source>
        <translation>画像を外す</translation>
    </message>
    <message>
        <source>Remove the picture (Delete)</source>
        <translation>画像を外す (Delete)</translation>
    </message>
    <message>
        <source>Enlarge the picture (Enter)</source>
        <translation>画像を拡大 (Enter)</translation>
    </message>
</context>
<context>
    <name>TrayNotify</name>
    <message>
        <source>Notifications of the tray icon</source>
        <translation>トレイアイコンの通知</translation>
    </message>
    <message>
        <source>there is no tray that shows messages</source>
        <translation>メッセージを表示できるトレイがありません</translation>
    </message>
    <message>
        <source>Start a panel with a tray.</source>
        <translation>トレイのあるパネルを起動してください。</translation>
    </message>
</context>
<context>
    <name>TurnWidget</name>
    <message>
        <source>Copy selection</source>
        <translation>選択部分をコピー</translation>
    </message>
    <message>
        <source>Delete from here</source>
        <translation>ここから削除</translation>
    </message>
    <message>
        <source>Not while the answer is being written.</source>
        <translation>答えの途中ではできません。</translation>
    </message>
</context>
<context>
    <name>Welcome</name>
    <message>
        <source>Ask about anything on your screen</source>
        <translation>画面にあるものを何でも質問できます</translation>
    </message>
    <message>
        <source>Snip a part of the screen</source>
        <translation>画面の一部を切り抜く</translation>
    </message>
    <message>
        <source>Paste a picture here</source>
        <translation>ここに画像を貼り付ける</translation>
    </message>
    <message>
        <source>Ask about a copied picture from anywhere</source>
        <translation>コピー済みの画像について質問</translation>
    </message>
    <message>
        <source>Drop a picture or a file here</source>
        <translation>ここに画像やファイルをドロップ</translation>
    </message>
    <message>
        <source>Show or hide this panel</source>
        <translation>このパネルの表示・非表示</translation>
    </message>
    <message>
        <source>{0}: {1}</source>
        <translation>{0}: {1}</translation>
    </message>
    <message>
        <source>What a sentence means, how its grammar works, what happens in a picture.</source>
        <translation>文の意味、文法の仕組み、画像で何が起きているか。</translation>
    </message>
    <message>
        <source>The model runs on this computer; nothing is sent anywhere.</source>
        <translation>モデルはこのコンピューターで動きます。何も外に送りません。</translation>
    </message>
</context>
<context>
    <name>WindowsDock</name>
    <message>
        <source>Keeping the panel&apos;s place free</source>
        <translation>パネルの場所の確保</translation>
    </message>
    <message>
        <source>this is not Windows</source>
        <translation>Windows ではありません</translation>
    </message>
    <message>
        <source>Turn off &apos;Keep its place free&apos; in Settings.</source>
        <translation>「設定」で「場所を確保」をオフにしてください。</translation>
    </message>
</context>
<context>
    <name>WindowsHotkeys</name>
    <message>
        <source>Windows hotkeys</source>
        <translation>Windows のホットキー</translation>
    </message>
    <message>
        <source>this is not Windows</source>
        <translation>Windows ではありません</translation>
    </message>
    <message>
        <source>Choose Automatic in Settings.</source>
        <translation>「設定」で「自動」を選んでください。</translation>
    </message>
</context>
<context>
    <name>WlCopyClipboard</name>
    <message>
        <source>this is no Wayland session</source>
        <translation>Wayland のセッションではありません</translation>
    </message>
    <message>
        <source>Choose Automatic in Settings.</source>
        <translation>「設定」で「自動」を選んでください。</translation>
    </message>
    <message>
        <source>the programs wl-copy and wl-paste are not installed</source>
        <translation>wl-copy と wl-paste がインストールされていません</translation>
    </message>
    <message>
        <source>Install them, for example with &apos;sudo apt install wl-clipboard&apos;.</source>
        <translation>「sudo apt install wl-clipboard」などでインストールしてください。</translation>
    </message>
    <message>
        <source>this desktop gives programs without a window no access to the clipboard</source>
        <translation>このデスクトップでは、ウィンドウのないプログラムはクリップボードを使えません</translation>
    </message>
    <message>
        <source>Choose Qt in Settings, Result.</source>
        <translation>「設定」の「結果」で「Qt」を選んでください。</translation>
    </message>
    <message>
        <source>a newer text took its place</source>
        <translation>新しいテキストに置き換えられました</translation>
    </message>
    <message>
        <source>wl-copy failed or did not answer in time</source>
        <translation>wl-copy が失敗したか、時間内に応答しませんでした</translation>
    </message>
    <message>
        <source>wl-paste failed or did not answer in time</source>
        <translation>wl-paste が失敗したか、時間内に応答しませんでした</translation>
    </message>
    <message>
        <source>another program holds on to it</source>
        <translation>別のプログラムがクリップボードを使用しています</translation>
    </message>
    <message>
        <source>Yomitori is quitting</source>
        <translation>Yomitori を終了しています</translation>
    </message>
</context>
<context>
    <name>X11</name>
    <message>
        <source>there is no X11 display</source>
        <translation>X11 のディスプレイがありません</translation>
    </message>
    <message>
        <source>this is a Wayland session, which X11 programs cannot see</source>
        <translation>Wayland のセッションのため、X11 からは見えません</translation>
    </message>
    <message>
        <source>the X11 display {0} cannot be reached</source>
        <translation>X11 ディスプレイ {0} に接続できません</translation>
    </message>
</context>
<context>
    <name>X11Capture</name>
    <message>
        <source>Choose the desktop portal, or grim on wlroots desktops.</source>
        <translation>「デスクトップポータル」か、wlroots のデスクトップでは「grim」を選んでください。</translation>
    </message>
</context>
<context>
    <name>X11Dock</name>
    <message>
        <source>Yomitori&apos;s windows are not shown through X11</source>
        <translation>Yomitori のウィンドウが X11 で表示されていません</translation>
    </message>
    <message>
        <source>the window manager does not let windows keep a place free</source>
        <translation>ウィンドウマネージャーが場所の確保に対応していません</translation>
    </message>
    <message>
        <source>Keeping the panel&apos;s place free</source>
        <translation>パネルの場所の確保</translation>
    </message>
    <message>
        <source>another screen lies beyond this side of the screen</source>
        <translation>画面のこの側には別の画面が続いています</translation>
    </message>
    <message>
        <source>Choose the other side, or turn off &apos;Keep its place free&apos;.</source>
        <translation>反対側を選ぶか、「場所を確保」をオフにしてください。</translation>
    </message>
    <message>
        <source>Turn off &apos;Keep its place free&apos; in Settings.</source>
        <translation>「設定」で「場所を確保」をオフにしてください。</translation>
    </message>
</context>
<context>
    <name>X11Hotkeys</name>
    <message>
        <source>Choose the desktop portal, or bind &apos;yomitori capture&apos; in the desktop&apos;s own settings.</source>
        <translation>「デスクトップポータル」を選ぶか、デスクトップの設定で「yomitori capture」をキーに割り当ててください。</translation>
    </message>
    <message>
        <source>X11 key grab</source>
        <translation>X11 のキー取得</translation>
    </message>
    <message>
        <source>the connection to the X11 display was lost</source>
        <translation>X11 ディスプレイとの接続が切れました</translation>
    </message>
    <message>
        <source>this keyboard has no such key</source>
        <translation>このキーボードにそのキーはありません</translation>
    </message>
    <message>
        <source>Choose another key in Settings, Capture.</source>
        <translation>「設定」の「取り込み」で別のキーを選んでください。</translation>
    </message>
</context>
<context>
    <name>_Delegate</name>
    <message>
        <source>Copy</source>
        <translation>コピー</translation>
    </message>
    <message>
        <source>Retry</source>
        <translation>再試行</translation>
    </message>
    <message>
        <source>Ask about it</source>
        <translation>これについて質問</translation>
    </message>
    <message>
        <source>Title of the conversation</source>
        <translation>会話の題名</translation>
    </message>
</context>
<context>
    <name>_Detail</name>
    <message>
        <source>Picture of the snip</source>
        <translation>切り抜きの画像</translation>
    </message>
    <message>
        <source>Text of the snip</source>
        <translation>切り抜きのテキスト</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>コピー</translation>
    </message>
    <message>
        <source>Copy image</source>
        <translation>画像をコピー</translation>
    </message>
    <message>
        <source>Ask</source>
        <translation>質問</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>再読み取り</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>削除</translation>
    </message>
</context>
<context>
    <name>_Handle</name>
    <message>
        <source>Height of the picture</source>
        <translation>画像の高さ</translation>
    </message>
    <message>
        <source>Drag to change the height (arrow keys up and down)</source>
        <translation>ドラッグで高さを変更 (上下の矢印キーでも可)</translation>
    </message>
</context>
<context>
    <name>_Listener</name>
    <message>
        <source>you declined the shortcuts</source>
        <translation>ショートカットが許可されませんでした</translation>
    </message>
    <message>
        <source>the desktop ended the request</source>
        <translation>デスクトップが要求を中断しました</translation>
    </message>
    <message>
        <source>the desktop ended the session</source>
        <translation>デスクトップがセッションを終了しました</translation>
    </message>
    <message>
        <source>the desktop did not give it this key</source>
        <translation>デスクトップがこのキーを割り当てませんでした</translation>
    </message>
</context>
<context>
    <name>engines</name>
    <message>
        <source>MangaOCR</source>
        <translation>MangaOCR</translation>
    </message>
    <message>
        <source>built-in</source>
        <translation>内蔵</translation>
    </message>
    <message>
        <source>LLaVA</source>
        <translation>LLaVA</translation>
    </message>
    <message>
        <source>server</source>
        <translation>サーバー</translation>
    </message>
</context>
<context>
    <name>errors</name>
    <message>
        <source>Something went wrong: {detail}.</source>
        <translation>問題が起きました: {detail}。</translation>
    </message>
    <message>
        <source>The log has the details.</source>
        <translation>詳しくはログをご覧ください。</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>キャンセルしました。</translation>
    </message>
    <message>
        <source>Wait for a moment and try again.</source>
        <translation>少し待ってから、もう一度お試しください。</translation>
    </message>
    <message>
        <source>The running Yomitori could not be reached: {reason}.</source>
        <translation>起動中の Yomitori に接続できませんでした: {reason}。</translation>
    </message>
    <message>
        <source>Quit it from the tray and start it again.</source>
        <translation>トレイから終了して、もう一度起動してください。</translation>
    </message>
    <message>
        <source>Yomitori is not running.</source>
        <translation>Yomitori は起動していません。</translation>
    </message>
    <message>
        <source>Start it with &apos;yomitori&apos;.</source>
        <translation>「yomitori」で起動してください。</translation>
    </message>
    <message>
        <source>{option} cannot be used like this: {reason}.</source>
        <translation>{option} はこのようには使えません: {reason}。</translation>
    </message>
    <message>
        <source>&apos;yomitori --help&apos; tells what can be.</source>
        <translation>「yomitori --help」で使い方を確認できます。</translation>
    </message>
    <message>
        <source>The text could not be put into the clipboard: {reason}.</source>
        <translation>テキストをクリップボードにコピーできませんでした: {reason}。</translation>
    </message>
    <message>
        <source>Copy it from the card, or from the history.</source>
        <translation>カードか履歴からコピーしてください。</translation>
    </message>
    <message>
        <source>The key {key} is already used by another program.</source>
        <translation>キー {key} は別のプログラムが使っています。</translation>
    </message>
    <message>
        <source>Choose another key in Settings, Capture, or bind &apos;yomitori capture&apos; in the desktop&apos;s own settings.</source>
        <translation>「設定」の「取り込み」で別のキーを選ぶか、デスクトップの設定で「yomitori capture」をキーに割り当ててください。</translation>
    </message>
    <message>
        <source>The screen could not be captured: {reason}.</source>
        <translation>画面を取り込めませんでした: {reason}。</translation>
    </message>
    <message>
        <source>Run &apos;yomitori doctor&apos; to see which way of capturing works here.</source>
        <translation>使える取り込み方法は「yomitori doctor」で確認できます。</translation>
    </message>
    <message>
        <source>{name} cannot be used here: {reason}.</source>
        <translation>{name}: この環境では使えません ({reason})。</translation>
    </message>
    <message>
        <source>{fix}</source>
        <translation>{fix}</translation>
    </message>
    <message>
        <source>The download of {model} failed: {reason}.</source>
        <translation>{model} のダウンロードに失敗しました: {reason}。</translation>
    </message>
    <message>
        <source>{name} arrived damaged and was thrown away.</source>
        <translation>{name} は壊れて届いたため破棄しました。</translation>
    </message>
    <message>
        <source>Start the download again; if it happens again, a proxy may be changing files.</source>
        <translation>もう一度ダウンロードしてください。繰り返すときは、プロキシがファイルを書き換えているかもしれません。</translation>
    </message>
    <message>
        <source>{model} is being downloaded, imported or removed by another Yomitori already.</source>
        <translation>別の Yomitori が {model} をダウンロード、取り込み、または削除しています。</translation>
    </message>
    <message>
        <source>Wait until that is done, then try again.</source>
        <translation>終わるのを待ってから、もう一度試してください。</translation>
    </message>
    <message>
        <source>{host} asks to wait before the next download.</source>
        <translation>{host} から、次のダウンロードまで待つよう求められました。</translation>
    </message>
    <message>
        <source>{host} has no {model} in the revision {revision}.</source>
        <translation>{host} に {model} のリビジョン {revision} はありません。</translation>
    </message>
    <message>
        <source>Check the spelling: a hub id looks like owner/name.</source>
        <translation>つづりを確認してください。ハブ ID は owner/name の形です。</translation>
    </message>
    <message>
        <source>{host} does not give out {model} without permission.</source>
        <translation>{host} から {model} を受け取るには許可が必要です。</translation>
    </message>
    <message>
        <source>Accept its conditions on the model&apos;s page and set HF_TOKEN to your access token.</source>
        <translation>モデルのページで条件に同意し、HF_TOKEN にアクセストークンを設定してください。</translation>
    </message>
    <message>
        <source>{host} could not be reached: {reason}.</source>
        <translation>{host} に接続できませんでした: {reason}。</translation>
    </message>
    <message>
        <source>Downloads are turned off: {variable} is set.</source>
        <translation>ダウンロードは無効です: {variable} が設定されています。</translation>
    </message>
    <message>
        <source>Unset it, or import the model from a folder or a zip file.</source>
        <translation>設定を外すか、フォルダーか ZIP ファイルからモデルを取り込んでください。</translation>
    </message>
    <message>
        <source>Yomitori ended before this was read.</source>
        <translation>読み取りの前に Yomitori が終了しました。</translation>
    </message>
    <message>
        <source>Read it again.</source>
        <translation>もう一度読み取ってください。</translation>
    </message>
    <message>
        <source>The {engine} engine could not finish: {reason}.</source>
        <translation>{engine}は処理を完了できませんでした: {reason}。</translation>
    </message>
    <message>
        <source>Try again, or snip a smaller region.</source>
        <translation>もう一度試すか、狭い範囲を切り抜いてください。</translation>
    </message>
    <message>
        <source>The model process answered something that cannot be understood ({reason}).</source>
        <translation>モデルのプロセスから正しくない応答がありました ({reason})。</translation>
    </message>
    <message>
        <source>Try again: a new process is started.</source>
        <translation>もう一度お試しください。新しいプロセスが起動します。</translation>
    </message>
    <message>
        <source>The model process ended in the middle of its work ({reason}).</source>
        <translation>モデルのプロセスが作業の途中で終了しました ({reason})。</translation>
    </message>
    <message>
        <source>Try again: a new process is started. If it happens again, the memory may be too small.</source>
        <translation>もう一度お試しください。新しいプロセスが起動します。繰り返す場合は、メモリが足りないのかもしれません。</translation>
    </message>
    <message>
        <source>{reason} {engine} runs on {used} instead of {asked}.</source>
        <translation>{reason}{engine} は {asked} の代わりに {used} で動いています。</translation>
    </message>
    <message>
        <source>Choose Try again in Settings, Models &amp; devices, to return to {asked}.</source>
        <translation>{asked} に戻すには、設定の「モデルとデバイス」で「もう一度試す」を押してください。</translation>
    </message>
    <message>
        <source>{device} cannot be used: {reason}.</source>
        <translation>{device} は使えません: {reason}。</translation>
    </message>
    <message>
        <source>Choose another device in Settings, Models &amp; devices.</source>
        <translation>設定の「モデルとデバイス」で別のデバイスを選んでください。</translation>
    </message>
    <message>
        <source>The key cannot be kept in the system&apos;s keyring: {reason}.</source>
        <translation>キーをシステムのキーリングに保存できません: {reason}。</translation>
    </message>
    <message>
        <source>Unlock the keyring, or install one such as GNOME Keyring or KWallet. Without one, set the environment variable YOMITORI_REMOTE_KEY to the key.</source>
        <translation>キーリングのロックを解除するか、GNOME Keyring や KWallet などをインストールしてください。ない場合は、環境変数 YOMITORI_REMOTE_KEY にキーを設定してください。</translation>
    </message>
    <message>
        <source>{variable} is no address of a hub: {value}.</source>
        <translation>{variable} の値「{value}」はハブのアドレスではありません。</translation>
    </message>
    <message>
        <source>Set it to an address such as https://huggingface.co, or unset it.</source>
        <translation>https://huggingface.co のようなアドレスを設定するか、変数を削除してください。</translation>
    </message>
    <message>
        <source>{host} could not be asked: {reason}.</source>
        <translation>{host} に質問できませんでした: {reason}。</translation>
    </message>
    <message>
        <source>{host} broke off its answer.</source>
        <translation>{host} の答えが途中で切れました。</translation>
    </message>
    <message>
        <source>What had arrived is kept. Ask again for the whole answer.</source>
        <translation>届いた分は残っています。全体が必要なら、もう一度質問してください。</translation>
    </message>
    <message>
        <source>Nothing came from {host} for {seconds} s.</source>
        <translation>{host} から {seconds} 秒間何も届きませんでした。</translation>
    </message>
    <message>
        <source>Ask again, or look whether the server still works.</source>
        <translation>もう一度質問するか、サーバーが動いているか確認してください。</translation>
    </message>
    <message>
        <source>{host} failed: {reason}.</source>
        <translation>{host} でエラーが起きました: {reason}。</translation>
    </message>
    <message>
        <source>Ask again. If that does not help, the log of the server tells more.</source>
        <translation>もう一度質問してください。直らなければ、サーバーのログで確認できます。</translation>
    </message>
    <message>
        <source>{host} cannot answer this: {reason}.</source>
        <translation>{host} はこの質問に答えられません: {reason}。</translation>
    </message>
    <message>
        <source>Its model may take fewer pictures or none, or the conversation may be too long for it.</source>
        <translation>モデルが扱える画像が少ないか、画像を扱えないか、会話が長すぎるのかもしれません。</translation>
    </message>
    <message>
        <source>The question with its pictures is larger than {host} accepts.</source>
        <translation>質問と画像が、{host} の受け付ける大きさを超えています。</translation>
    </message>
    <message>
        <source>Ask about fewer or smaller pictures, or raise the limit of the server.</source>
        <translation>画像を減らすか小さくするか、サーバーの上限を上げてください。</translation>
    </message>
    <message>
        <source>{host} has too much to do at the moment.</source>
        <translation>{host} は今混み合っています。</translation>
    </message>
    <message>
        <source>Wait for a moment and ask again.</source>
        <translation>少し待ってから、もう一度質問してください。</translation>
    </message>
    <message>
        <source>{host} asks to wait for {seconds} s before the next question.</source>
        <translation>{host} は、次の質問まで {seconds} 秒待つよう求めています。</translation>
    </message>
    <message>
        <source>Ask again after that.</source>
        <translation>その後でもう一度質問してください。</translation>
    </message>
    <message>
        <source>The answer of {host} cannot be understood: {reason}.</source>
        <translation>{host} の答えを理解できません: {reason}。</translation>
    </message>
    <message>
        <source>Check the address (http or https, the port, the /v1 at its end) and what runs there.</source>
        <translation>アドレス (http か https、ポート、末尾の /v1) と、そこで何が動いているかを確認してください。</translation>
    </message>
    <message>
        <source>There is nothing that answers questions at {url}.</source>
        <translation>{url} には質問に答えるものがありません。</translation>
    </message>
    <message>
        <source>Check the address: it usually ends with /v1, as in http://localhost:8000/v1.</source>
        <translation>アドレスを確認してください。普通は http://localhost:8000/v1 のように /v1 で終わります。</translation>
    </message>
    <message>
        <source>{host} has no model called {model}.</source>
        <translation>{host} に {model} というモデルはありません。</translation>
    </message>
    <message>
        <source>The Test button in the settings shows the models it has.</source>
        <translation>設定の「テスト」ボタンで、サーバーにあるモデルを見られます。</translation>
    </message>
    <message>
        <source>{host} asks for a key, or does not accept the one it got.</source>
        <translation>{host} はキーを求めているか、送られたキーを受け付けません。</translation>
    </message>
    <message>
        <source>Check the key of the server in the settings.</source>
        <translation>設定でサーバーのキーを確認してください。</translation>
    </message>
    <message>
        <source>{host} sends on to {target}, which was not asked.</source>
        <translation>{host} が {target} へ転送しようとしました。そこへは質問していません。</translation>
    </message>
    <message>
        <source>If you trust that server, set its address in the settings.</source>
        <translation>そのサーバーを信頼するなら、設定でそのアドレスを指定してください。</translation>
    </message>
    <message>
        <source>{host} was on this computer a moment ago and now leads to another one.</source>
        <translation>{host} は先ほどまでこのコンピューターでしたが、今は別のコンピューターを指しています。</translation>
    </message>
    <message>
        <source>Nothing was sent. Check the address of the server in the settings.</source>
        <translation>何も送っていません。設定でサーバーのアドレスを確認してください。</translation>
    </message>
    <message>
        <source>The key for {host} holds characters that no key has.</source>
        <translation>{host} のキーに、キーには使われない文字が入っています。</translation>
    </message>
    <message>
        <source>Copy it again, without spaces or line breaks.</source>
        <translation>空白や改行を入れずに、もう一度コピーしてください。</translation>
    </message>
    <message>
        <source>The key is not sent to {host}, since the connection is not encrypted.</source>
        <translation>接続が暗号化されていないため、キーを {host} に送りませんでした。</translation>
    </message>
    <message>
        <source>Use an address that begins with https://, or remove the key if the server needs none.</source>
        <translation>https:// で始まるアドレスを使うか、サーバーに不要ならキーを消してください。</translation>
    </message>
    <message>
        <source>The certificate of {host} is not to be trusted: {reason}.</source>
        <translation>{host} の証明書を信頼できません: {reason}。</translation>
    </message>
    <message>
        <source>Nothing was sent. The system&apos;s list of trusted certificates must know who has signed it.</source>
        <translation>何も送っていません。証明書の発行元が、システムの信頼する一覧に入っている必要があります。</translation>
    </message>
    <message>
        <source>Check that the server runs, and that its address and port are right.</source>
        <translation>サーバーが動いているか、アドレスとポートが正しいか確認してください。</translation>
    </message>
    <message>
        <source>{device} ran out of memory.</source>
        <translation>{device} のメモリが足りなくなりました。</translation>
    </message>
    <message>
        <source>Close other programs, choose a smaller model, or let it run on the CPU.</source>
        <translation>ほかのプログラムを閉じるか、小さいモデルを選ぶか、CPU で動かしてください。</translation>
    </message>
    <message>
        <source>{device} had too little memory, so the picture was looked at in less detail.</source>
        <translation>{device} のメモリが足りないため、画像を粗く見ました。</translation>
    </message>
    <message>
        <source>Close other programs, or choose a smaller model.</source>
        <translation>ほかのプログラムを閉じるか、小さいモデルを選んでください。</translation>
    </message>
    <message>
        <source>{precision} on a graphics card needs {library}, which is not installed.</source>
        <translation>グラフィックカードで {precision} を使うには {library} が必要ですが、入っていません。</translation>
    </message>
    <message>
        <source>Install it with: pip install {library}. Or choose another precision in Settings, Models &amp; devices.</source>
        <translation>pip install {library} で入れるか、設定の「モデルとデバイス」で別の精度を選んでください。</translation>
    </message>
    <message>
        <source>{device} had too little memory, so {model} goes on in {precision}.</source>
        <translation>{device} のメモリーが足りないため、{model} は {precision} で続けます。</translation>
    </message>
    <message>
        <source>The conversation has {tokens} tokens, and the model can take {limit}.</source>
        <translation>会話は {tokens} トークンありますが、モデルが扱えるのは {limit} までです。</translation>
    </message>
    <message>
        <source>Start a new conversation, or delete earlier questions.</source>
        <translation>新しい会話を始めるか、前の質問を削除してください。</translation>
    </message>
    <message>
        <source>{model} looks at one picture at a time.</source>
        <translation>{model} が一度に見る画像は 1 枚です。</translation>
    </message>
    <message>
        <source>Ask about each picture in a conversation of its own, or choose a model that compares pictures.</source>
        <translation>画像ごとに別の会話で質問するか、画像を比べられるモデルを選んでください。</translation>
    </message>
    <message>
        <source>{model} comes under the licence {licence}, which has to be accepted first.</source>
        <translation>{model} のライセンスは {licence} です。先に同意が必要です。</translation>
    </message>
    <message>
        <source>Read it on the model&apos;s page, then download with --accept-license.</source>
        <translation>モデルのページで読み、--accept-license を付けてダウンロードしてください。</translation>
    </message>
    <message>
        <source>{model} cannot be used: {reason}.</source>
        <translation>{model} は使えません: {reason}。</translation>
    </message>
    <message>
        <source>There is no model called {model}.</source>
        <translation>{model} というモデルはありません。</translation>
    </message>
    <message>
        <source>&apos;yomitori models list&apos; shows those there are. A hub id looks like owner/name.</source>
        <translation>「yomitori models list」で一覧を見られます。ハブ ID は owner/name の形です。</translation>
    </message>
    <message>
        <source>There is no earlier revision of {model} on this computer.</source>
        <translation>このコンピューターに {model} の以前のリビジョンはありません。</translation>
    </message>
    <message>
        <source>An update keeps the revision before it. &apos;yomitori models list&apos; shows those that are here.</source>
        <translation>更新しても前のリビジョンは残ります。ここにあるものは「yomitori models list」で確認できます。</translation>
    </message>
    <message>
        <source>{model} is not on this computer: there is nothing to remove.</source>
        <translation>{model} はこのコンピューターにないので、削除するものはありません。</translation>
    </message>
    <message>
        <source>&apos;yomitori models list&apos; shows what is here.</source>
        <translation>ここにあるものは「yomitori models list」で確認できます。</translation>
    </message>
    <message>
        <source>{model} was imported; no hub knows it.</source>
        <translation>{model} は取り込んだモデルで、どのハブにもありません。</translation>
    </message>
    <message>
        <source>To mend or renew it, import it again from its folder or zip file.</source>
        <translation>修復や更新をするには、フォルダーか ZIP ファイルからもう一度取り込んでください。</translation>
    </message>
    <message>
        <source>{model} was imported, and is not on this computer any more.</source>
        <translation>{model} は取り込んだモデルで、もうこのコンピューターにありません。</translation>
    </message>
    <message>
        <source>The {engine} engine needs {need} of memory, {free} are free.</source>
        <translation>{engine}には {need} のメモリが必要ですが、空きは {free} です。</translation>
    </message>
    <message>
        <source>Close other programs or choose a smaller model.</source>
        <translation>ほかのプログラムを閉じるか、小さいモデルを選んでください。</translation>
    </message>
    <message>
        <source>The {engine} engine could not be loaded: {reason}.</source>
        <translation>{engine}を読み込めませんでした: {reason}。</translation>
    </message>
    <message>
        <source>Run &apos;yomitori doctor&apos; to see what is missing.</source>
        <translation>足りないものは「yomitori doctor」で確認できます。</translation>
    </message>
    <message>
        <source>There is no engine called {name}.</source>
        <translation>{name} というエンジンはありません。</translation>
    </message>
    <message>
        <source>Choose one of: {known}.</source>
        <translation>次の中から選んでください: {known}。</translation>
    </message>
    <message>
        <source>{path} cannot be used: {reason}.</source>
        <translation>{path} を使えません: {reason}。</translation>
    </message>
    <message>
        <source>The HTTP service ended unexpectedly: {reason}.</source>
        <translation>HTTP サービスが予期せず終了しました: {reason}。</translation>
    </message>
    <message>
        <source>{log} tells what happened. Switch the service off and on to start it again.</source>
        <translation>{log} に原因が書かれています。サービスをいったんオフにしてからオンにすると、もう一度始まります。</translation>
    </message>
    <message>
        <source>{count} others are already waiting.</source>
        <translation>すでに {count} 件が順番を待っています。</translation>
    </message>
    <message>
        <source>The running Yomitori holds another model.</source>
        <translation>動作中の Yomitori は別のモデルを読み込んでいます。</translation>
    </message>
    <message>
        <source>Choose the same model there, or add --standalone.</source>
        <translation>そこで同じモデルを選ぶか、--standalone を付けてください。</translation>
    </message>
    <message>
        <source>The program that held the model has ended in the middle of the work.</source>
        <translation>モデルを読み込んでいたプログラムが、処理の途中で終了しました。</translation>
    </message>
    <message>
        <source>Try again: the model is loaded here then.</source>
        <translation>もう一度試してください。今度はここでモデルを読み込みます。</translation>
    </message>
    <message>
        <source>The HTTP service needs {name}, which is not installed.</source>
        <translation>HTTP サービスに必要な {name} がインストールされていません。</translation>
    </message>
    <message>
        <source>Install what it needs: &apos;pip install -r requirements-service.txt&apos;.</source>
        <translation>必要なものを「pip install -r requirements-service.txt」でインストールしてください。</translation>
    </message>
    <message>
        <source>The service cannot listen at {host}, port {port}: {reason}.</source>
        <translation>サービスは {host} のポート {port} で待ち受けられません: {reason}。</translation>
    </message>
    <message>
        <source>Choose another address or port (--host, --port), or end the program that listens there.</source>
        <translation>別のアドレスかポート (--host, --port) を選ぶか、そこを使っているプログラムを終了してください。</translation>
    </message>
    <message>
        <source>It has a line NAME=value for each variable.</source>
        <translation>変数ごとに「名前=値」を 1 行ずつ書いてください。</translation>
    </message>
    <message>
        <source>The token in {path} cannot be used: {reason}.</source>
        <translation>{path} のトークンは使えません: {reason}。</translation>
    </message>
    <message>
        <source>Make a new one with &apos;yomitori serve --new-token&apos;, or name another file.</source>
        <translation>「yomitori serve --new-token」で新しく作るか、別のファイルを指定してください。</translation>
    </message>
    <message>
        <source>At {host} other computers can reach the service, and there is no token to ask them for.</source>
        <translation>{host} ではほかのパソコンからサービスに届きますが、確認に使うトークンがありません。</translation>
    </message>
    <message>
        <source>Make one with &apos;yomitori serve --new-token&apos;, or name a file that holds one in YOMITORI_SERVICE_TOKEN_FILE.</source>
        <translation>「yomitori serve --new-token」で作るか、トークンのファイルを YOMITORI_SERVICE_TOKEN_FILE で指定してください。</translation>
    </message>
    <message>
        <source>Try again: a download that had begun goes on where it stopped.</source>
        <translation>もう一度試してください。始まっていたダウンロードは、止まったところから続きます。</translation>
    </message>
    <message>
        <source>Try again later: a download that had begun goes on where it stopped.</source>
        <translation>後でもう一度試してください。始まっていたダウンロードは、止まったところから続きます。</translation>
    </message>
    <message>
        <source>Check the network or the proxy and try again: a download that had begun goes on where it stopped.</source>
        <translation>ネットワークかプロキシを確認して、もう一度試してください。始まっていたダウンロードは、止まったところから続きます。</translation>
    </message>
    <message>
        <source>{model} needs {library}, which is not installed.</source>
        <translation>{model} に必要な {library} がインストールされていません。</translation>
    </message>
    <message>
        <source>Install it with: pip install {library}. Or choose another model.</source>
        <translation>「pip install {library}」でインストールするか、別のモデルを選んでください。</translation>
    </message>
    <message>
        <source>{device} had too little memory, so {count} of {total} layers of {model} wait in RAM. Answers take longer.</source>
        <translation>{device} のメモリーが足りないため、{model} の {total} 層のうち {count} 層をメインメモリーに置いています。答えに時間がかかります。</translation>
    </message>
    <message>
        <source>{title} is not on this computer yet.</source>
        <translation>{title} はまだこのパソコンにありません。</translation>
    </message>
    <message>
        <source>Download it in the Models window, or with: yomitori models download {model}</source>
        <translation>モデルのウィンドウか、次のコマンドでダウンロードしてください: yomitori models download {model}</translation>
    </message>
    <message>
        <source>Import it again in the Models window, or choose another model in Settings.</source>
        <translation>モデルのウィンドウで取り込み直すか、設定で別のモデルを選んでください。</translation>
    </message>
    <message>
        <source>Check that the folder exists, that you may write there, and that the disk is not full.</source>
        <translation>フォルダーがあり、書き込みが許可され、ディスクに空きがあるか確認してください。</translation>
    </message>
    <message>
        <source>The history was damaged. It was moved to {aside}; a new one was started.</source>
        <translation>履歴が壊れていたため、{aside} に移しました。新しい履歴を作りました。</translation>
    </message>
    <message>
        <source>New snips are kept as before.</source>
        <translation>新しい切り抜きは、これまでどおり保存されます。</translation>
    </message>
    <message>
        <source>Models cannot be kept in {path}: {reason}.</source>
        <translation>{path} にモデルを保存できません: {reason}。</translation>
    </message>
    <message>
        <source>Choose another folder for models in Settings.</source>
        <translation>設定で別のモデル用フォルダーを選んでください。</translation>
    </message>
    <message>
        <source>{source} sets this folder: name another one there, or with --models-dir.</source>
        <translation>このフォルダーは {source} で指定されています。そこか --models-dir で別のフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>Models cannot be kept in {path}: you may not write there.</source>
        <translation>{path} にモデルを保存できません: 書き込みが許可されていません。</translation>
    </message>
    <message>
        <source>Choose another folder for models in Settings, or take this one over with: {command}</source>
        <translation>設定で別のモデル用フォルダーを選ぶか、次のコマンドで書き込めるようにしてください: {command}</translation>
    </message>
    <message>
        <source>{source} sets this folder: name another one there, or with --models-dir, or take this one over with: {command}</source>
        <translation>このフォルダーは {source} で指定されています。そこか --models-dir で別のフォルダーを指定するか、次のコマンドで書き込めるようにしてください: {command}</translation>
    </message>
    <message>
        <source>{path} has {free} of free space, {need} are needed.</source>
        <translation>{path} の空きは {free} ですが、{need} 必要です。</translation>
    </message>
    <message>
        <source>Free some space, or choose another folder for models in Settings.</source>
        <translation>空きを増やすか、設定で別のモデル用フォルダーを選んでください。</translation>
    </message>
    <message>
        <source>Free some space. {source} sets this folder: name another one there, or with --models-dir.</source>
        <translation>空き容量を増やしてください。このフォルダーは {source} で指定されています。そこか --models-dir で別のフォルダーを指定することもできます。</translation>
    </message>
    <message>
        <source>The disk is full: {path} could not be written.</source>
        <translation>ディスクがいっぱいで、{path} に書き込めませんでした。</translation>
    </message>
    <message>
        <source>Free some space. The text is still in the clipboard and on the card.</source>
        <translation>空き容量を増やしてください。テキストはクリップボードとカードに残っています。</translation>
    </message>
    <message>
        <source>The setting {key} cannot be {value}: {reason}.</source>
        <translation>設定 {key} に {value} は使えません: {reason}。</translation>
    </message>
    <message>
        <source>The settings page of the user guide lists every setting and its values.</source>
        <translation>設定できる値は、ユーザーガイドの設定の一覧をご覧ください。</translation>
    </message>
    <message>
        <source>{address} cannot be the address of a server: {reason}.</source>
        <translation>{address} はサーバーのアドレスとして使えません: {reason}。</translation>
    </message>
    <message>
        <source>It looks like http://localhost:8000/v1.</source>
        <translation>http://localhost:8000/v1 のような形です。</translation>
    </message>
    <message>
        <source>Questions go to a server, and its address or the model there is not set.</source>
        <translation>質問はサーバーに送られますが、そのアドレスかモデルが設定されていません。</translation>
    </message>
    <message>
        <source>Set both in Settings, or have this computer answer.</source>
        <translation>「設定」で両方を指定するか、このコンピューターで答えるようにしてください。</translation>
    </message>
    <message>
        <source>{value} is the key for “{other}” already.</source>
        <translation>{value} はすでに「{other}」のキーです。</translation>
    </message>
    <message>
        <source>Choose another key.</source>
        <translation>別のキーを選んでください。</translation>
    </message>
    <message>
        <source>The settings file was damaged. It was moved to {aside}; defaults are used.</source>
        <translation>設定ファイルが壊れていたため、{aside} に移しました。初期値を使います。</translation>
    </message>
    <message>
        <source>Set what you need again in Settings.</source>
        <translation>必要な項目を「設定」でもう一度設定してください。</translation>
    </message>
    <message>
        <source>This cannot be read: {detail}.</source>
        <translation>読み取れません: {detail}。</translation>
    </message>
    <message>
        <source>Give a PNG, JPEG, WebP, GIF, BMP or TIFF picture.</source>
        <translation>PNG、JPEG、WebP、GIF、BMP、TIFF のいずれかの画像を指定してください。</translation>
    </message>
    <message>
        <source>{name} holds no model that can be used: {reason}.</source>
        <translation>{name} に使えるモデルがありません: {reason}。</translation>
    </message>
    <message>
        <source>Give the folder (or a zip of it) with config.json and the weights in it.</source>
        <translation>config.json と重みが入ったフォルダー (またはその ZIP) を指定してください。</translation>
    </message>
    <message>
        <source>There is no picture in the clipboard.</source>
        <translation>クリップボードに画像がありません。</translation>
    </message>
    <message>
        <source>Copy a picture first, for example with the screenshot key.</source>
        <translation>先にスクリーンショットなどで画像をコピーしてください。</translation>
    </message>
    <message>
        <source>There is no picture in {name}.</source>
        <translation>{name} に画像がありません。</translation>
    </message>
    <message>
        <source>Files ending in {suffixes} are looked for.</source>
        <translation>末尾が {suffixes} のファイルを探します。</translation>
    </message>
    <message>
        <source>There is no picture in {name} itself, only in folders inside it.</source>
        <translation>{name} の直下に画像はなく、その中のフォルダーにだけあります。</translation>
    </message>
    <message>
        <source>Folders inside a folder are not looked into. Name them: {folders}.</source>
        <translation>フォルダーの中のフォルダーは調べません。{folders} を直接指定してください。</translation>
    </message>
    <message>
        <source>{name} cannot be opened: {reason}.</source>
        <translation>{name} を開けません: {reason}。</translation>
    </message>
    <message>
        <source>Check that it exists and that you may read it.</source>
        <translation>ファイルがあり、読み取りが許可されているか確認してください。</translation>
    </message>
    <message>
        <source>The pictures have {megapixels} megapixels together, at most {limit} are looked at.</source>
        <translation>画像は合わせて {megapixels} メガピクセルあります。見られるのは {limit} メガピクセルまでです。</translation>
    </message>
    <message>
        <source>Send fewer of them, or scale them down.</source>
        <translation>枚数を減らすか、縮小してください。</translation>
    </message>
    <message>
        <source>{name} is too large: {width} x {height} pixels, at most {limit} megapixels are read.</source>
        <translation>{name} は大きすぎます: {width} x {height} ピクセル (上限は {limit} メガピクセル)。</translation>
    </message>
    <message>
        <source>Cut the picture into pages or scale it down.</source>
        <translation>ページごとに分けるか、縮小してください。</translation>
    </message>
    <message>
        <source>{name} is damaged or not complete.</source>
        <translation>{name} は壊れているか、途中で切れています。</translation>
    </message>
    <message>
        <source>Open it in a viewer to check it, or download it again.</source>
        <translation>ビューアーで開いて確認するか、もう一度ダウンロードしてください。</translation>
    </message>
    <message>
        <source>{name} is not a picture.</source>
        <translation>{name} は画像ではありません。</translation>
    </message>
    <message>
        <source>its weights are still being converted</source>
        <translation>重みをまだ変換しています</translation>
    </message>
    <message>
        <source>a frame is too short</source>
        <translation>データが短すぎます</translation>
    </message>
    <message>
        <source>a frame of another version</source>
        <translation>データのバージョンが違います</translation>
    </message>
    <message>
        <source>a frame is cut off</source>
        <translation>データが途中で切れています</translation>
    </message>
    <message>
        <source>a header is no object</source>
        <translation>ヘッダーがオブジェクトではありません</translation>
    </message>
    <message>
        <source>a header is no JSON</source>
        <translation>ヘッダーが JSON ではありません</translation>
    </message>
    <message>
        <source>it was written by a newer version of Yomitori</source>
        <translation>新しいバージョンの Yomitori で作られたものです</translation>
    </message>
    <message>
        <source>it is damaged</source>
        <translation>壊れています</translation>
    </message>
    <message>
        <source>there is no such file or folder</source>
        <translation>そのファイルやフォルダーはありません</translation>
    </message>
    <message>
        <source>the picture has not come to an end</source>
        <translation>画像の処理が終わりませんでした</translation>
    </message>
    <message>
        <source>say a whole number, 0 or more</source>
        <translation>0 以上の整数にしてください</translation>
    </message>
    <message>
        <source>there is none of that name</source>
        <translation>その名前のものはありません</translation>
    </message>
    <message>
        <source>another one has that name</source>
        <translation>その名前は別のものに使われています</translation>
    </message>
    <message>
        <source>it needs a name</source>
        <translation>名前が必要です</translation>
    </message>
    <message>
        <source>a built-in one has that name</source>
        <translation>内蔵のものがその名前です</translation>
    </message>
    <message>
        <source>PyTorch here finds no CUDA device</source>
        <translation>ここの PyTorch では CUDA デバイスが見つかりません</translation>
    </message>
    <message>
        <source>PyTorch here finds no Apple GPU</source>
        <translation>ここの PyTorch では Apple GPU が見つかりません</translation>
    </message>
    <message>
        <source>it is empty</source>
        <translation>空です</translation>
    </message>
    <message>
        <source>there is a space or a backslash in it</source>
        <translation>空白かバックスラッシュが入っています</translation>
    </message>
    <message>
        <source>only http:// and https:// are known</source>
        <translation>使えるのは http:// と https:// だけです</translation>
    </message>
    <message>
        <source>a name or password does not belong into it</source>
        <translation>名前やパスワードは入れられません</translation>
    </message>
    <message>
        <source>there is a ? or # in it</source>
        <translation>? か # が入っています</translation>
    </message>
    <message>
        <source>the host or the port is not valid</source>
        <translation>ホストかポートが正しくありません</translation>
    </message>
    <message>
        <source>no computer of that name is known</source>
        <translation>その名前のコンピューターは見つかりません</translation>
    </message>
    <message>
        <source>it does not end</source>
        <translation>終わりがありません</translation>
    </message>
    <message>
        <source>it is a web page</source>
        <translation>ウェブページです</translation>
    </message>
    <message>
        <source>it is not JSON</source>
        <translation>JSON ではありません</translation>
    </message>
    <message>
        <source>there is no answer in it</source>
        <translation>答えが入っていません</translation>
    </message>
    <message>
        <source>there is no keyring on this computer</source>
        <translation>このコンピューターにキーリングがありません</translation>
    </message>
    <message>
        <source>it does not give back what was put in</source>
        <translation>入れたものが取り出せません</translation>
    </message>
    <message>
        <source>LLaVA</source>
        <translation>LLaVA</translation>
    </message>
    <message>
        <source>it redirects again and again</source>
        <translation>転送が繰り返されます</translation>
    </message>
    <message>
        <source>only proxies that begin with http:// can be used</source>
        <translation>使えるのは http:// で始まるプロキシだけです</translation>
    </message>
    <message>
        <source>no server listens there</source>
        <translation>待ち受けているサーバーがありません</translation>
    </message>
    <message>
        <source>the connection was broken off</source>
        <translation>接続が切れました</translation>
    </message>
    <message>
        <source>the proxy does not let this through</source>
        <translation>プロキシが通しません</translation>
    </message>
    <message>
        <source>it does not speak HTTP</source>
        <translation>HTTP に対応していません</translation>
    </message>
    <message>
        <source>it redirects to nowhere</source>
        <translation>転送先がありません</translation>
    </message>
    <message>
        <source>server</source>
        <translation>サーバー</translation>
    </message>
    <message>
        <source>it is closed</source>
        <translation>閉じられています</translation>
    </message>
    <message>
        <source>Check it with &apos;yomitori models verify&apos;, and get it anew: download it, or copy the folder again.</source>
        <translation>「yomitori models verify」で確認し、ダウンロードし直すか、フォルダーをコピーし直してください。</translation>
    </message>
    <message>
        <source>it is not on this computer</source>
        <translation>このコンピューターにありません</translation>
    </message>
    <message>
        <source>a frame without a kind</source>
        <translation>データに種類がありません</translation>
    </message>
    <message>
        <source>it is no ordinary file</source>
        <translation>通常のファイルではありません</translation>
    </message>
    <message>
        <source>it belongs to another user</source>
        <translation>別のユーザーのものです</translation>
    </message>
    <message>
        <source>it does not answer</source>
        <translation>応答がありません</translation>
    </message>
    <message>
        <source>it is of another version or was ending</source>
        <translation>バージョンが違うか、終了するところでした</translation>
    </message>
    <message>
        <source>conversion</source>
        <translation>変換</translation>
    </message>
    <message>
        <source>it is a file</source>
        <translation>ファイルです</translation>
    </message>
    <message>
        <source>the hub does not say which commit it is</source>
        <translation>ハブがコミットを知らせません</translation>
    </message>
    <message>
        <source>downloads</source>
        <translation>ダウンロード</translation>
    </message>
    <message>
        <source>it has too many files; pack the model&apos;s own folder</source>
        <translation>ファイルが多すぎます。モデルのフォルダーだけを圧縮してください</translation>
    </message>
    <message>
        <source>it does not tell which model it is: say its hub id</source>
        <translation>どのモデルか分かりません。ハブ ID を指定してください</translation>
    </message>
    <message>
        <source>it has too many files; give the model&apos;s own folder</source>
        <translation>ファイルが多すぎます。モデルのフォルダーを指定してください</translation>
    </message>
    <message>
        <source>it is neither a folder nor a zip file</source>
        <translation>フォルダーでも ZIP ファイルでもありません</translation>
    </message>
    <message>
        <source>its conversion is not there</source>
        <translation>変換済みのものがありません</translation>
    </message>
    <message>
        <source>its file system takes no files as large as that</source>
        <translation>ファイルシステムがその大きさのファイルに対応していません</translation>
    </message>
    <message>
        <source>it sends from one address to the next</source>
        <translation>転送が繰り返されています</translation>
    </message>
    <message>
        <source>the connection broke off</source>
        <translation>接続が切れました</translation>
    </message>
    <message>
        <source>it sent another part of the file</source>
        <translation>ファイルの別の部分が送られてきました</translation>
    </message>
    <message>
        <source>its weights are a pytorch_model.bin that was not converted yet</source>
        <translation>重みはまだ変換されていない pytorch_model.bin です</translation>
    </message>
    <message>
        <source>say a number such as 0.2</source>
        <translation>0.2 のような数を指定してください</translation>
    </message>
    <message>
        <source>PyTorch here was installed without CUDA</source>
        <translation>ここの PyTorch は CUDA なしで導入されています</translation>
    </message>
    <message>
        <source>there is no such kind of device</source>
        <translation>その種類のデバイスはありません</translation>
    </message>
    <message>
        <source>MangaOCR</source>
        <translation>MangaOCR</translation>
    </message>
    <message>
        <source>the package rapidocr is not installed</source>
        <translation>パッケージ rapidocr がインストールされていません</translation>
    </message>
    <message>
        <source>you may not write there</source>
        <translation>書き込みが許可されていません</translation>
    </message>
    <message>
        <source>there is no such setting</source>
        <translation>その設定はありません</translation>
    </message>
    <message>
        <source>say true or false</source>
        <translation>true か false で指定してください</translation>
    </message>
    <message>
        <source>say a whole number</source>
        <translation>整数で指定してください</translation>
    </message>
    <message>
        <source>built-in</source>
        <translation>内蔵エンジン</translation>
    </message>
    <message>
        <source>The picture</source>
        <translation>画像</translation>
    </message>
    <message>
        <source>The picture in the clipboard</source>
        <translation>クリップボードの画像</translation>
    </message>
    <message>
        <source>there is no such folder</source>
        <translation>そのフォルダーはありません</translation>
    </message>
    <message>
        <source>it has no chat template, so it cannot be asked</source>
        <translation>チャットの書式がないため、質問できません</translation>
    </message>
    <message>
        <source>it has nothing that prepares pictures and text together</source>
        <translation>画像と文章をまとめて準備する部分がありません</translation>
    </message>
    <message>
        <source>it does not answer in words</source>
        <translation>言葉で答えるモデルではありません</translation>
    </message>
    <message>
        <source>its chat template leaves out pictures</source>
        <translation>チャットの書式が画像を含みません</translation>
    </message>
    <message>
        <source>name each one, * does not stand for all</source>
        <translation>1 つずつ書いてください。* は「すべて」の意味になりません</translation>
    </message>
    <message>
        <source>name each one, * does not stand for all, only *.example.org for what is below a name</source>
        <translation>1 つずつ書いてください。* は「すべて」の意味になりません。*.example.org のように、ある名前の下にあるものだけを表せます</translation>
    </message>
    <message>
        <source>any page can have the origin null</source>
        <translation>null はどのページの生成元にもなりえます</translation>
    </message>
    <message>
        <source>there is no list of models in it</source>
        <translation>モデルの一覧が入っていません</translation>
    </message>
    <message>
        <source>it closed the connection without an answer</source>
        <translation>答えずに接続を閉じました</translation>
    </message>
    <message>
        <source>it is in LLaVA&apos;s original format, take a conversion, such as those of llava-hf instead</source>
        <translation>LLaVA の元の形式です。代わりに llava-hf などの変換版を使ってください</translation>
    </message>
    <message>
        <source>Choose another address or port in Settings, Service, or end the program that listens there.</source>
        <translation>設定の「サービス」で別のアドレスかポートを選ぶか、そこで待ち受けているプログラムを終了してください。</translation>
    </message>
    <message>
        <source>Set the address to 127.0.0.1 once: a token is made then. Or make one with &apos;yomitori serve --new-token&apos;.</source>
        <translation>一度アドレスを 127.0.0.1 にすると、トークンが作られます。または「yomitori serve --new-token」で作ってください。</translation>
    </message>
</context>
<context>
    <name>models</name>
    <message>
        <source>Reads Japanese text in manga: vertical, with furigana, on drawings.</source>
        <translation>漫画の日本語を読み取ります。縦書き、ふりがな付き、絵の上の文字も読めます。</translation>
    </message>
    <message>
        <source>Answers questions about pictures; small enough for a computer without a graphics card.</source>
        <translation>画像についての質問に答えます。グラフィックカードのないコンピューターでも動く小さなモデルです。</translation>
    </message>
    <message>
        <source>Answers questions about one or several pictures; needs a large graphics card.</source>
        <translation>1 枚または複数の画像についての質問に答えます。大きなグラフィックカードが必要です。</translation>
    </message>
    <message>
        <source>Answers questions about a picture and sees small details; needs a large graphics card.</source>
        <translation>画像についての質問に答え、細かい部分も見ます。大きなグラフィックカードが必要です。</translation>
    </message>
    <message>
        <source>Answers questions about a picture, seen as a whole; needs a large graphics card.</source>
        <translation>画像全体を見て質問に答えます。大きなグラフィックカードが必要です。</translation>
    </message>
    <message>
        <source>Answers questions about a picture, seen as a whole; needs a very large graphics card.</source>
        <translation>画像全体を見て質問に答えます。非常に大きなグラフィックカードが必要です。</translation>
    </message>
</context>
<context>
    <name>presets</name>
    <message>
        <source>Exact</source>
        <translation>正確</translation>
    </message>
    <message>
        <source>Balanced</source>
        <translation>標準</translation>
    </message>
    <message>
        <source>Lively</source>
        <translation>多彩</translation>
    </message>
</context>
<context>
    <name>prompts</name>
    <message>
        <source>Translate</source>
        <translation>翻訳</translation>
    </message>
    <message>
        <source>Explain the grammar</source>
        <translation>文法の説明</translation>
    </message>
    <message>
        <source>Explain this word</source>
        <translation>単語の説明</translation>
    </message>
    <message>
        <source>What is happening</source>
        <translation>何が起きている？</translation>
    </message>
    <message>
        <source>Who speaks to whom</source>
        <translation>誰が誰に話している？</translation>
    </message>
    <message>
        <source>Describe for someone who cannot see it</source>
        <translation>見えない人のための説明</translation>
    </message>
    <message>
        <source>what was read in the picture</source>
        <translation>画像から読み取ったテキスト</translation>
    </message>
    <message>
        <source>the language of “Answer in” above</source>
        <translation>上の「答えの言語」</translation>
    </message>
    <message>
        <source>your Japanese: beginner, intermediate or advanced</source>
        <translation>日本語のレベル (初級～上級)</translation>
    </message>
    <message>
        <source>Empty prompt</source>
        <translation>空のプロンプト</translation>
    </message>
    <message>
        <source>English</source>
        <comment>the language of this translation, in English</comment>
        <translation>Japanese</translation>
    </message>
</context>
<context>
    <name>setting_controls</name>
    <message>
        <source>Allowed: {0} to {1}</source>
        <translation>{0} から {1} まで</translation>
    </message>
</context>
<context>
    <name>settings</name>
    <message>
        <source>General</source>
        <translation>一般</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>言語</translation>
    </message>
    <message>
        <source>The language of menus and windows. Takes effect after a restart.</source>
        <translation>メニューとウィンドウの言語です。再起動後に変わります。</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>システムに合わせる</translation>
    </message>
    <message>
        <source>English</source>
        <translation>English</translation>
    </message>
    <message>
        <source>日本語</source>
        <translation>日本語</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>外観</translation>
    </message>
    <message>
        <source>Light or dark windows.</source>
        <translation>ウィンドウの明るさを選びます。</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>ライト</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>ダーク</translation>
    </message>
    <message>
        <source>Capture</source>
        <translation>取り込み</translation>
    </message>
    <message>
        <source>Snip</source>
        <translation>切り抜き</translation>
    </message>
    <message>
        <source>Press it anywhere, then drag over the text. Leave it empty for none.</source>
        <translation>押してから文字の上をドラッグします。空なら無効です。</translation>
    </message>
    <message>
        <source>Repeat the last region</source>
        <translation>前回の範囲の再読み取り</translation>
    </message>
    <message>
        <source>Reads the same place of the screen again. Leave it empty for none.</source>
        <translation>画面の同じ場所をもう一度読み取ります。空なら無効です。</translation>
    </message>
    <message>
        <source>Go to the result card</source>
        <translation>結果カードに移動</translation>
    </message>
    <message>
        <source>Moves the keyboard to the card, so that Tab, Enter and Edit work there.</source>
        <translation>カードをキーボードで操作できるようにします。Tab、Enter、「編集」が使えます。</translation>
    </message>
    <message>
        <source>Take the picture with</source>
        <translation>画面の取り込み方法</translation>
    </message>
    <message>
        <source>Automatic takes the first way that works on this desktop.</source>
        <translation>「自動」では、最初に使えた方法を選びます。</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自動</translation>
    </message>
    <message>
        <source>X11</source>
        <translation>X11</translation>
    </message>
    <message>
        <source>grim (wlroots)</source>
        <translation>grim (wlroots)</translation>
    </message>
    <message>
        <source>Desktop portal</source>
        <translation>デスクトップポータル</translation>
    </message>
    <message>
        <source>System (Windows, macOS)</source>
        <translation>OS 標準 (Windows、macOS)</translation>
    </message>
    <message>
        <source>Listen for hotkeys with</source>
        <translation>ホットキーの受け取り方法</translation>
    </message>
    <message>
        <source>X11 key grab</source>
        <translation>X11 のキー取得</translation>
    </message>
    <message>
        <source>Windows</source>
        <translation>Windows</translation>
    </message>
    <message>
        <source>macOS</source>
        <translation>macOS</translation>
    </message>
    <message>
        <source>Magnifier</source>
        <translation>拡大鏡</translation>
    </message>
    <message>
        <source>Shows the pixels around the pointer enlarged while selecting.</source>
        <translation>範囲の選択中に、ポインターの周りを拡大して表示します。</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>結果</translation>
    </message>
    <message>
        <source>Copy what was read</source>
        <translation>読み取ったテキストのコピー</translation>
    </message>
    <message>
        <source>Puts the text into the clipboard after each snip.</source>
        <translation>切り抜くたびに、テキストをクリップボードに入れます。</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>常にコピー</translation>
    </message>
    <message>
        <source>Unless a picture is in the clipboard</source>
        <translation>クリップボードに画像がないとき</translation>
    </message>
    <message>
        <source>Only when I press Copy</source>
        <translation>「コピー」を押したときだけ</translation>
    </message>
    <message>
        <source>Show the result card</source>
        <translation>結果カードを表示</translation>
    </message>
    <message>
        <source>A small card beside the region. When it is off, a notification tells the text.</source>
        <translation>範囲の横に出る小さなカードです。オフにすると、通知でテキストをお知らせします。</translation>
    </message>
    <message>
        <source>Show a quick reading first</source>
        <translation>先に簡易読み取りを表示</translation>
    </message>
    <message>
        <source>While MangaOCR is loading or reading, the card shows what the built-in engine read.</source>
        <translation>MangaOCR の読み込み中や読み取り中は、内蔵エンジンの読みをカードに表示します。</translation>
    </message>
    <message>
        <source>Hide the card after</source>
        <translation>カードを隠すまでの時間</translation>
    </message>
    <message>
        <source>Seconds without the pointer or the keyboard on it; 0 keeps it until it is closed.</source>
        <translation>操作がないまま経過した秒数です。0 なら閉じるまで残ります。</translation>
    </message>
    <message>
        <source>s</source>
        <translation>秒</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>無期限</translation>
    </message>
    <message>
        <source>Size of the text that was read</source>
        <translation>読み取ったテキストの文字サイズ</translation>
    </message>
    <message>
        <source>In pixels, before the scale of the screen.</source>
        <translation>画面の拡大率をかける前のピクセル数です。</translation>
    </message>
    <message>
        <source>px</source>
        <translation>px</translation>
    </message>
    <message>
        <source>Copy with</source>
        <translation>コピーの方法</translation>
    </message>
    <message>
        <source>Automatic takes the way that works on this desktop.</source>
        <translation>「自動」では、この環境で使える方法を選びます。</translation>
    </message>
    <message>
        <source>Qt</source>
        <translation>Qt</translation>
    </message>
    <message>
        <source>wl-copy (Wayland)</source>
        <translation>wl-copy (Wayland)</translation>
    </message>
    <message>
        <source>Reading</source>
        <translation>読み取り</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>エンジン</translation>
    </message>
    <message>
        <source>Where models run. Automatic uses the graphics card while it has room. The built-in engine always runs on the CPU.</source>
        <translation>モデルを動かす場所です。自動では空きがあればグラフィックカードを使います。内蔵エンジンは常に CPU で動きます。</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>精度</translation>
    </message>
    <message>
        <source>Half the bits need half the memory and may change a reading now and then.</source>
        <translation>ビット数を半分にするとメモリも半分になりますが、まれに読みが変わることがあります。</translation>
    </message>
    <message>
        <source>Full (fp32)</source>
        <translation>フル (fp32)</translation>
    </message>
    <message>
        <source>Half (bf16)</source>
        <translation>半分 (bf16)</translation>
    </message>
    <message>
        <source>Half (fp16)</source>
        <translation>半分 (fp16)</translation>
    </message>
    <message>
        <source>Automatic takes the largest one here that fits on the graphics card, or the smallest for the CPU. Else a name of the list, a hub id (owner/name) or a folder.</source>
        <translation>自動では、グラフィックカードに収まる最大のもの、CPU では最小のものを使います。ほかに、一覧の名前、ハブ ID (owner/name)、フォルダーを指定できます。</translation>
    </message>
    <message>
        <source>Fewer bits need less memory. Half answers nearly as well, 4 bits a little worse.</source>
        <translation>ビット数が少ないほどメモリーを節約できます。半精度はほぼ同じ、4 ビットは少し劣ります。</translation>
    </message>
    <message>
        <source>8 bits (int8)</source>
        <translation>8 ビット (int8)</translation>
    </message>
    <message>
        <source>4 bits (int4)</source>
        <translation>4 ビット (int4)</translation>
    </message>
    <message>
        <source>Built-in (PP-OCRv6)</source>
        <translation>内蔵 (PP-OCRv6)</translation>
    </message>
    <message>
        <source>Join the lines of a bubble</source>
        <translation>吹き出しの行をつなげる</translation>
    </message>
    <message>
        <source>Example: 今日は / 学校に becomes 今日は学校に. Off keeps one row per line or column.</source>
        <translation>例: 「今日は / 学校に」を「今日は学校に」にします。オフなら行や列ごとに改行します。</translation>
    </message>
    <message>
        <source>Between bubbles</source>
        <translation>吹き出しの間</translation>
    </message>
    <message>
        <source>Whether several bubbles in one snip become several rows. Example: はい and そうか become はい / そうか or はいそうか.</source>
        <translation>1 回の切り抜きに複数の吹き出しがあるとき、改行するかどうかです。例: 「はい」と「そうか」を「はい / そうか」または「はいそうか」にします。</translation>
    </message>
    <message>
        <source>How a row of dots is written. Example: え・・・ stays え・・・ as read, becomes え... with full stops, or え… with one character.</source>
        <translation>点の並びの書き方です。例: 「え・・・」は、読み取ったままなら「え・・・」、ピリオドなら「え...」、1 文字なら「え…」になります。</translation>
    </message>
    <message>
        <source>Start a new row</source>
        <translation>改行する</translation>
    </message>
    <message>
        <source>What reads the picture. Automatic takes MangaOCR as soon as its weights are on this computer; the built-in engine needs no download.</source>
        <translation>画像を読み取るエンジンです。自動では、重みがこのコンピューターに入りしだい MangaOCR を使います。内蔵エンジンはダウンロード不要です。</translation>
    </message>
    <message>
        <source>MangaOCR</source>
        <translation>MangaOCR</translation>
    </message>
    <message>
        <source>Look again at doubtful text</source>
        <translation>疑わしい文字を読み直す</translation>
    </message>
    <message>
        <source>MangaOCR reads a doubtful bubble in other ways, too, and keeps the best reading.</source>
        <translation>MangaOCR は疑わしい吹き出しを別の方法でも読み、最も良い読みを残します。</translation>
    </message>
    <message>
        <source>Allow drawn-out sounds</source>
        <translation>引き延ばした音を許可</translation>
    </message>
    <message>
        <source>Lets MangaOCR write ドドドドド. Its makers forbid repeats, which stops it from rambling, but cuts such sounds short.</source>
        <translation>MangaOCR が ドドドドド と書けるようにします。もとの設定は繰り返しを禁じて暴走を防ぎますが、こうした音は短く切れます。</translation>
    </message>
    <message>
        <source>Write on without a break</source>
        <translation>改行せずに続ける</translation>
    </message>
    <message>
        <source>Spaces</source>
        <translation>空白</translation>
    </message>
    <message>
        <source>Japanese is written without spaces; engines sometimes put them between kana. Example: そ う か becomes そうか. Spaces between Latin words stay.</source>
        <translation>エンジンが仮名の間に入れた空白の扱いです。例: 「そ う か」→「そうか」。英単語の間の空白は残ります。</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>取り除く</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>残す</translation>
    </message>
    <message>
        <source>Full-width letters and digits</source>
        <translation>英数字を全角にする</translation>
    </message>
    <message>
        <source>Example: 3月 ABC! becomes ３月&#x3000;ＡＢＣ！ as MangaOCR writes them.</source>
        <translation>例: 「3月 ABC!」を、MangaOCR と同じ「３月&#x3000;ＡＢＣ！」にします。</translation>
    </message>
    <message>
        <source>Dots</source>
        <translation>点の並び</translation>
    </message>
    <message>
        <source>As read</source>
        <translation>読み取ったまま</translation>
    </message>
    <message>
        <source>Full stops (え...)</source>
        <translation>ピリオド (え...)</translation>
    </message>
    <message>
        <source>One character (え…)</source>
        <translation>1 文字 (え…)</translation>
    </message>
    <message>
        <source>Models &amp; devices</source>
        <translation>モデルとデバイス</translation>
    </message>
    <message>
        <source>MangaOCR model</source>
        <translation>MangaOCR のモデル</translation>
    </message>
    <message>
        <source>manga-ocr, or another model in its format: a hub id (owner/name) or a folder.</source>
        <translation>manga-ocr、または同じ形式の別のモデル: ハブ ID (owner/name) かフォルダー。</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>デバイス</translation>
    </message>
    <message>
        <source>Free memory when idle for</source>
        <translation>メモリを解放するまでの時間</translation>
    </message>
    <message>
        <source>Models are loaded again when you need them. 0 frees at once, -1 never.</source>
        <translation>この時間使わないと解放します。0 ならすぐ、-1 なら解放しません。</translation>
    </message>
    <message>
        <source>At once</source>
        <translation>すぐに</translation>
    </message>
    <message>
        <source>Processor threads</source>
        <translation>CPU のスレッド数</translation>
    </message>
    <message>
        <source>How many threads a model may use; 0 takes the number of physical cores.</source>
        <translation>モデルが使うスレッドの数です。0 にすると、物理コアの数になります。</translation>
    </message>
    <message>
        <source>Folder for models</source>
        <translation>モデル用フォルダー</translation>
    </message>
    <message>
        <source>Empty: the folder that other programs using the same hub share.</source>
        <translation>空欄: 同じハブを使うほかのプログラムと共有するフォルダー。</translation>
    </message>
    <message>
        <source>Asking</source>
        <translation>質問</translation>
    </message>
    <message>
        <source>Answered by</source>
        <translation>答えるもの</translation>
    </message>
    <message>
        <source>What answers questions about pictures. A server gets the pictures you ask it about.</source>
        <translation>画像についての質問に何が答えるかです。サーバーには、質問した画像が送られます。</translation>
    </message>
    <message>
        <source>This computer</source>
        <translation>このコンピューター</translation>
    </message>
    <message>
        <source>A server</source>
        <translation>サーバー</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Where the model runs. Automatic uses the graphics card while it has room.</source>
        <translation>モデルを動かす場所です。自動では空きがあればグラフィックカードを使います。</translation>
    </message>
    <message>
        <source>The model is loaded again when you ask. 0 frees at once, -1 never.</source>
        <translation>質問すると、また読み込まれます。0 ならすぐ、-1 なら解放しません。</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>答えのばらつき (温度)</translation>
    </message>
    <message>
        <source>0 gives the likeliest answer each time, 1 the most varied ones.</source>
        <translation>0 では毎回最も確からしい答え、1 では最も多様な答えになります。</translation>
    </message>
    <message>
        <source>Choose among (top_p)</source>
        <translation>選ぶ範囲 (top_p)</translation>
    </message>
    <message>
        <source>Only from the likeliest words that together have this probability.</source>
        <translation>確率の合計がこの値になるまでの、確からしい語だけから選びます。</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>答えの最大の長さ</translation>
    </message>
    <message>
        <source>In tokens: about as many as words in English, more than characters in Japanese.</source>
        <translation>トークン数です。英語では単語の数と同じくらい、日本語では文字数より多くなります。</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>トークン</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>サーバー</translation>
    </message>
    <message>
        <source>Its address, such as http://localhost:8000/v1: any server that speaks OpenAI&apos;s interface (vLLM, Ollama, LM Studio, llama.cpp).</source>
        <translation>http://localhost:8000/v1 のようなアドレスです。OpenAI の形式に対応したサーバー (vLLM、Ollama、LM Studio、llama.cpp) ならどれでも使えます。</translation>
    </message>
    <message>
        <source>Model of the server</source>
        <translation>サーバーのモデル</translation>
    </message>
    <message>
        <source>What the server calls the model that should answer.</source>
        <translation>答えるモデルの、サーバーでの名前です。</translation>
    </message>
    <message>
        <source>Panel</source>
        <translation>パネル</translation>
    </message>
    <message>
        <source>Open the panel</source>
        <translation>パネルを開く</translation>
    </message>
    <message>
        <source>Shows the side panel, and hides it again. Leave it empty for none.</source>
        <translation>サイドパネルの表示と非表示を切り替えます。空なら無効です。</translation>
    </message>
    <message>
        <source>Snip and ask</source>
        <translation>切り抜いて質問</translation>
    </message>
    <message>
        <source>Press it anywhere, then drag over what you want to ask about. Leave it empty for none.</source>
        <translation>押してから質問したい部分をドラッグします。空なら無効です。</translation>
    </message>
    <message>
        <source>Ask about the clipboard&apos;s picture</source>
        <translation>クリップボードの画像について質問</translation>
    </message>
    <message>
        <source>Opens the panel with the picture that was copied. Leave it empty for none.</source>
        <translation>コピーした画像をパネルで開きます。空なら無効です。</translation>
    </message>
    <message>
        <source>Side of the screen</source>
        <translation>画面のどちら側に置くか</translation>
    </message>
    <message>
        <source>Where the panel stands. It goes to the other side rather than cover what you ask about.</source>
        <translation>パネルの位置です。質問する部分が隠れるときは反対側に移ります。</translation>
    </message>
    <message>
        <source>Right</source>
        <translation>右</translation>
    </message>
    <message>
        <source>Left</source>
        <translation>左</translation>
    </message>
    <message>
        <source>Keep its place free</source>
        <translation>場所を確保</translation>
    </message>
    <message>
        <source>Other windows make room beside the panel, where the desktop allows that. Off, it is an ordinary window.</source>
        <translation>対応するデスクトップでは、ほかのウィンドウがパネルの場所を空けます。オフなら普通のウィンドウです。</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>幅</translation>
    </message>
    <message>
        <source>Of the panel, in pixels before the scale of the screen. Dragging its edge changes it.</source>
        <translation>画面の拡大率をかける前のピクセル数です。パネルの端をドラッグしても変わります。</translation>
    </message>
    <message>
        <source>Give the text that was read</source>
        <translation>読み取ったテキストを渡す</translation>
    </message>
    <message>
        <source>The model gets the recognised text with the picture, so that it need not read it.</source>
        <translation>読み取ったテキストを画像と一緒に渡すので、モデルが文字を読む必要がなくなります。</translation>
    </message>
    <message>
        <source>Answer in</source>
        <translation>答えの言語</translation>
    </message>
    <message>
        <source>What {language} stands for in prompts, such as English. Empty: the language of menus.</source>
        <translation>プロンプトの {language} に入る言語です (例: English)。空ならメニューの言語です。</translation>
    </message>
    <message>
        <source>Your Japanese</source>
        <translation>日本語のレベル</translation>
    </message>
    <message>
        <source>What {level} stands for in prompts.</source>
        <translation>プロンプトの {level} に入るレベルです。</translation>
    </message>
    <message>
        <source>Beginner</source>
        <translation>初級</translation>
    </message>
    <message>
        <source>Intermediate</source>
        <translation>中級</translation>
    </message>
    <message>
        <source>Advanced</source>
        <translation>上級</translation>
    </message>
    <message>
        <source>Storage</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Keep a history</source>
        <translation>履歴を残す</translation>
    </message>
    <message>
        <source>Snips and their text stay on this computer, readable by you alone.</source>
        <translation>切り抜きとテキストはこのコンピューターだけに保存され、ほかの人には読めません。</translation>
    </message>
    <message>
        <source>Keep snips for</source>
        <translation>履歴を残す期間</translation>
    </message>
    <message>
        <source>Older ones are deleted; 0 keeps them until the space below is used up.</source>
        <translation>古いものから削除します。0 にすると、下の容量に達するまで残します。</translation>
    </message>
    <message>
        <source>days</source>
        <translation>日</translation>
    </message>
    <message>
        <source>No limit</source>
        <translation>無制限</translation>
    </message>
    <message>
        <source>Use at most</source>
        <translation>履歴の最大容量</translation>
    </message>
    <message>
        <source>The oldest snips are deleted beyond that; 0 sets no limit.</source>
        <translation>超えると古い切り抜きから削除します。0 にすると制限しません。</translation>
    </message>
    <message>
        <source>MB</source>
        <translation>MB</translation>
    </message>
    <message>
        <source>Service</source>
        <translation>サービス</translation>
    </message>
    <message>
        <source>Offer the HTTP service</source>
        <translation>HTTP サービスを提供する</translation>
    </message>
    <message>
        <source>Scripts, browser extensions and other programs can have pictures read, and ask about them, while Yomitori runs. &apos;yomitori serve&apos; does the same without a window.</source>
        <translation>Yomitori が動いている間、スクリプトやブラウザーの拡張機能などのプログラムが、画像の読み取りと質問をできるようにします。「yomitori serve」なら画面なしで同じことをします。</translation>
    </message>
    <message>
        <source>The number at which programs find the service at that address.</source>
        <translation>そのアドレスでプログラムがサービスを見つける番号です。</translation>
    </message>
    <message>
        <source>Otherwise programs on this computer need it only to load, unload and download models.</source>
        <translation>オフのとき、このパソコンのプログラムには、モデルの読み込み・解放・ダウンロードにだけ求めます。</translation>
    </message>
    <message>
        <source>Other names of this computer</source>
        <translation>このパソコンのほかの名前</translation>
    </message>
    <message>
        <source>By which programs may ask, beside localhost, separated by commas, such as manga.example.org or 192.168.1.5. Every request then needs the token.</source>
        <translation>localhost のほかにプログラムが呼べる名前です。コンマで区切ります。例: manga.example.org、192.168.1.5。指定すると、すべての要求にトークンが必要です。</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>アドレス</translation>
    </message>
    <message>
        <source>127.0.0.1 is for programs on this computer alone. Another of its addresses lets other computers in, which need the token. With 0.0.0.0, which is all of them, list below those that programs ask by.</source>
        <translation>127.0.0.1 はこのパソコンのプログラムだけのものです。このパソコンのほかのアドレスにすると、ほかのパソコンからも届き、トークンが必要になります。すべてのアドレスを表す 0.0.0.0 のときは、プログラムが使う名前やアドレスを下に書いてください。</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>ポート</translation>
    </message>
    <message>
        <source>Any that is free</source>
        <translation>空いている番号</translation>
    </message>
    <message>
        <source>Always ask for the token</source>
        <translation>常にトークンを確認する</translation>
    </message>
    <message>
        <source>Web pages that may ask</source>
        <translation>利用を許すウェブページ</translation>
    </message>
    <message>
        <source>Their origins, separated by commas, such as https://reader.example.org or chrome-extension://abc. Empty: none.</source>
        <translation>生成元をコンマで区切って書きます。例: https://reader.example.org、chrome-extension://abc。空欄: どれも許しません。</translation>
    </message>
    <message>
        <source>Servers to fetch pictures from</source>
        <translation>画像を取りに行くサーバー</translation>
    </message>
    <message>
        <source>Their names, separated by commas. Empty: pictures are only taken from requests.</source>
        <translation>名前をコンマで区切って書きます。空欄: 要求に含まれる画像だけを受け付けます。</translation>
    </message>
    <message>
        <source>Requests that may wait</source>
        <translation>待てる要求の数</translation>
    </message>
    <message>
        <source>For each of reading and asking, with those that are being worked on. Any more are told to come again later.</source>
        <translation>読み取りと質問それぞれについて、処理中のものも含めた数です。それより多い要求には、後で来るよう伝えます。</translation>
    </message>
    <message>
        <source>Longest time of a request</source>
        <translation>要求の最長時間</translation>
    </message>
    <message>
        <source>What is not done by then is given up.</source>
        <translation>それまでに終わらないものは打ち切ります。</translation>
    </message>
    <message>
        <source>Largest request</source>
        <translation>要求の最大サイズ</translation>
    </message>
    <message>
        <source>With all its pictures. Larger ones are refused before they are looked at.</source>
        <translation>画像を含めた大きさです。それより大きいものは、中を見る前に断ります。</translation>
    </message>
    <message>
        <source>Pictures in one request</source>
        <translation>1 回の要求の画像数</translation>
    </message>
    <message>
        <source>At most so many are taken at once by /batch.</source>
        <translation>/batch が一度に受け付ける最大の数です。</translation>
    </message>
</context>
</TS>
