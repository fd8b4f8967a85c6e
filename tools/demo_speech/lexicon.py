"""The templates of the demo grammar and what fills their slots.

A template is a sentence with ``{slot}`` marks. A slot is a comma-separated list of phrases, or a
``NumberSlot``. Everything is finite, so that a sentence can be drawn, recognised and enumerated.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NumberSlot:
    """Whole numbers from ``low`` to ``high``: written in digits, spoken in words."""

    low: int
    high: int
    #: "masculine", "feminine", "percent" or "year" (pt); "cardinal" or "percent" (en).
    kind: str


Slots = dict[str, str | NumberSlot]

PT_SLOTS: Slots = {
    "nome": "Ana,Pedro,Marcos,Juliana,Carlos,Fernanda,Rafael,Beatriz,Lucas,Mariana,Paulo,Camila,"
    "Tiago,Larissa,Bruno,Renata,Gustavo,Patrícia,Eduardo,Sofia,João,Maria,Roberto,Letícia,Felipe,"
    "Vanessa",
    "time": "a equipe de vendas,a equipe de suporte,a equipe de produto,"
    "o time de desenvolvimento,o financeiro,o jurídico,o marketing,a diretoria,a engenharia,"
    "a operação,o atendimento,o comercial",
    "proj": "do aplicativo,do portal,do site novo,da migração,da plataforma,do painel,"
    "do sistema de pagamentos,da integração,do treinamento,do relatório,da campanha,do contrato,"
    "do banco de dados,da auditoria",
    "coisa": "o relatório,o contrato,a proposta,o orçamento,a apresentação,o cronograma,"
    "a planilha,o documento,a ata,o plano de testes,a lista de tarefas,o protótipo,a nota fiscal,"
    "o servidor,o código,a pesquisa,o manual,a pauta",
    "recurso": "relatório,contrato,proposta,orçamento,apresentação,cronograma,planilha,documento,"
    "ata,plano de testes,lista de tarefas,protótipo,nota fiscal,servidor,código,pesquisa,manual,"
    "pauta",
    "verbo": "revisar,enviar,aprovar,atualizar,terminar,preparar,compartilhar,corrigir,publicar,"
    "testar,validar,assinar,apresentar,conferir,entregar,organizar",
    "feito": "revisou,enviou,aprovou,atualizou,terminou,preparou,compartilhou,corrigiu,publicou,"
    "testou,validou,entregou",
    "dia": "segunda-feira,terça-feira,quarta-feira,quinta-feira,sexta-feira,sábado,domingo",
    "no_dia": "na segunda-feira,na terça-feira,na quarta-feira,na quinta-feira,na sexta-feira,"
    "no sábado,no domingo",
    "mes": "janeiro,fevereiro,março,abril,maio,junho,julho,agosto,setembro,outubro,novembro,"
    "dezembro",
    "quando": "hoje,amanhã,na semana que vem,no fim do mês,na próxima semana,depois do almoço,"
    "ainda hoje,esta semana,no próximo trimestre,de manhã,à tarde",
    "passado": "hoje,ontem,esta semana,ainda hoje,depois do almoço,de manhã,à tarde",
    "adj": "importante,urgente,simples,difícil,interessante,claro,arriscado,necessário,possível,"
    "caro",
    "problema": "um atraso na entrega,um erro no sistema,uma falha no servidor,"
    "um problema com o fornecedor,uma dúvida do cliente,um risco no cronograma,"
    "uma mudança no escopo,um custo maior que o previsto,uma reclamação do cliente,"
    "um problema de segurança",
    "tema": "o orçamento do trimestre,o plano do projeto,as metas do ano,os resultados do mês,"
    "a contratação de pessoas,a qualidade do produto,a satisfação dos clientes,"
    "o lançamento da versão nova,as férias da equipe,a reunião com o cliente,os próximos passos,"
    "as pendências da semana,o treinamento da equipe,a segurança dos dados",
    "lugar": "São Paulo,Rio de Janeiro,Curitiba,Recife,Brasília,Salvador,Porto Alegre,Fortaleza,"
    "Belo Horizonte,Manaus",
    "hora": NumberSlot(7, 20, "feminine"),
    "data": NumberSlot(2, 30, "masculine"),
    "numf": NumberSlot(2, 60, "feminine"),
    "numm": NumberSlot(2, 60, "masculine"),
    "pct": NumberSlot(5, 100, "percent"),
    "ano": NumberSlot(2022, 2029, "year"),
}

PT_TEMPLATES = """
Bom dia, pessoal.
Boa tarde a todos.
Boa noite, {nome}, tudo bem?
Olá, {nome}, como vai você?
Bom dia, {nome}, obrigado por vir.
Sejam bem-vindos à reunião {proj}.
Vamos começar a reunião.
Vamos começar a reunião de {dia}.
A pauta de hoje tem {numm} itens.
O primeiro ponto da pauta é {tema}.
O próximo assunto é {tema}.
Agora vamos falar sobre {tema}.
Precisamos discutir {tema} {quando}.
{nome}, você pode {verbo} {coisa}?
{nome}, por favor, você pode {verbo} {coisa} até {dia}?
{nome} vai {verbo} {coisa} {quando}.
{nome} e {nome} vão {verbo} {coisa}.
{nome} {feito} {coisa} {proj}.
Quem vai {verbo} {coisa}?
Quando vamos {verbo} {coisa}?
Eu vou {verbo} {coisa} {quando}.
Nós precisamos {verbo} {coisa} até o dia {data} de {mes}.
A reunião com o cliente será no dia {data} de {mes} de {ano}.
O prazo final é dia {data} de {mes}.
A entrega {proj} ficou para {dia}, às {hora} horas.
A próxima reunião será {no_dia} às {hora} horas.
Podemos marcar para as {hora} horas?
O orçamento {proj} é de {numm} mil reais.
Gastamos {numm} mil reais em {mes}.
As vendas subiram {pct} em {mes}.
Os custos caíram {pct} neste trimestre.
Já concluímos {pct} {proj}.
Faltam {numf} tarefas para terminar.
Temos {numf} tarefas pendentes e {numm} dias de prazo.
Recebemos {numf} mensagens do cliente {passado}.
Contratamos {numf} pessoas em {lugar}.
O cliente de {lugar} pediu {coisa}.
A filial de {lugar} tem {numm} funcionários.
Encontramos {problema}.
{nome} encontrou {problema} {passado}.
Tivemos {problema} no projeto {proj}.
Isso é muito {adj} para {time}.
Eu acho que isso é {adj}.
Não é {adj}, mas precisamos {verbo} {coisa}.
Precisamos falar com {time} {quando}.
Vou conversar com {time} sobre {tema}.
{nome}, qual é o status {proj}?
O status {proj} está em dia.
O projeto está atrasado {numm} dias.
Alguém tem alguma dúvida?
Alguma pergunta sobre {tema}?
Eu concordo com {nome}.
Não concordo com essa decisão.
Ficou decidido que {nome} vai {verbo} {coisa}.
A decisão é {verbo} {coisa} {quando}.
Vamos votar {quando}.
Muito obrigado a todos e até {dia}.
Obrigada, {nome}, ficou muito claro.
Até a próxima reunião, pessoal.
Terminamos por hoje, obrigado.
Pode repetir, por favor?
Desculpe, o meu microfone estava desligado.
Vou compartilhar a minha tela agora.
Vocês conseguem ver a minha tela?
Vocês estão me ouvindo bem?
Sim, estamos ouvindo.
Não, ainda não.
Certo, então vamos para o próximo ponto.
Vou anotar isso na ata.
{nome}, anote, por favor, que precisamos {verbo} {coisa}.
O teste {proj} encontrou {numm} erros.
A versão {numm} será lançada em {mes}.
A meta de {ano} é crescer {pct}.
Em {ano} tivemos {numm} clientes novos.
Temos que {verbo} {coisa} antes de {dia}.
Sem {recurso}, não podemos {verbo} {coisa}.
Primeiro vamos {verbo} {coisa}, depois {verbo} {coisa}.
Se {time} concordar, vamos {verbo} {coisa} {quando}.
""".strip().splitlines()

EN_SLOTS: Slots = {
    "name": "Anna,Peter,Mark,Julia,Charles,Emily,Robert,Sarah,Lucas,Michael,Paul,Laura,James,"
    "Linda,Bruce,Karen,David,Alice,Edward,Susan",
    "team": "the sales team,the support team,the product team,the development team,finance,legal,"
    "marketing,management,engineering,operations",
    "proj": "the mobile app,the website,the migration,the new platform,the dashboard,"
    "the payment system,the integration,the training,the campaign,the contract,the database,"
    "the audit",
    "thing": "the report,the contract,the proposal,the budget,the presentation,the schedule,"
    "the spreadsheet,the document,the minutes,the test plan,the task list,the prototype,"
    "the invoice,the server,the code,the survey,the manual,the agenda",
    "verb": "review,send,approve,update,finish,prepare,share,fix,publish,test,check,sign,present,"
    "deliver,organize",
    "did": "reviewed,sent,approved,updated,finished,prepared,shared,fixed,published,tested,"
    "checked,delivered",
    "day": "Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday",
    "month": "January,February,March,April,May,June,July,August,September,October,November,"
    "December",
    "when": "today,tomorrow,next week,at the end of the month,after lunch,this week,next quarter,"
    "this morning,in the afternoon",
    "past": "today,yesterday,this week,last week,after lunch,this morning,in the afternoon",
    "adj": "important,urgent,simple,difficult,interesting,clear,risky,necessary,possible,expensive",
    "problem": "a delay in the delivery,an error in the system,a problem with the supplier,"
    "a question from the client,a risk in the schedule,a change in the scope,"
    "a higher cost than expected,a complaint from the client,a security problem",
    "topic": "the quarterly budget,the project plan,the goals for the year,the monthly results,"
    "the hiring plan,product quality,customer satisfaction,the new release,the team vacations,"
    "the client meeting,the next steps,the open issues,data security",
    "place": "London,Boston,Chicago,Toronto,Dublin,Berlin,Madrid,Sydney",
    "hour": NumberSlot(1, 12, "cardinal"),
    "date": NumberSlot(2, 30, "cardinal"),
    "num": NumberSlot(2, 60, "cardinal"),
    "pct": NumberSlot(5, 100, "percent"),
}

EN_TEMPLATES = """
Good morning, everyone.
Good afternoon, everybody.
Hello, {name}, how are you?
Welcome to the meeting about {proj}.
Let's start the meeting.
Today we have {num} items on the agenda.
The first topic is {topic}.
The next topic is {topic}.
Now let's talk about {topic}.
We need to discuss {topic} {when}.
{name}, can you {verb} {thing}?
{name}, could you please {verb} {thing} before {day}?
{name} will {verb} {thing} {when}.
{name} and {name} will {verb} {thing}.
{name} {did} {thing} for {proj}.
Who will {verb} {thing}?
I will {verb} {thing} {when}.
We need to {verb} {thing} before {month} {date}.
The deadline is {month} {date}.
The next meeting is on {day} at {hour}.
Can we meet at {hour} on {day}?
The budget for {proj} is {num} thousand dollars.
We spent {num} thousand dollars in {month}.
Sales went up {pct} in {month}.
Costs went down {pct} this quarter.
We have finished {pct} of {proj}.
There are {num} tasks left.
We received {num} messages from the client.
We hired {num} people in {place}.
The client in {place} asked for {thing}.
We found {problem}.
{name} found {problem} {past}.
This is very {adj} for {team}.
I think this is {adj}.
We should talk to {team} {when}.
{name}, what is the status of {proj}?
The project is {num} days late.
Does anyone have any questions?
I agree with {name}.
I don't agree with this decision.
We decided that {name} will {verb} {thing}.
Thank you all, see you on {day}.
Thank you, {name}, that was very clear.
That's all for today, thank you.
Could you repeat that, please?
Sorry, my microphone was off.
I will share my screen now.
Can you see my screen?
Can you hear me well?
Yes, we can hear you.
The test of {proj} found {num} errors.
Version {num} will be released in {month}.
First we will {verb} {thing}, then {verb} {thing}.
If {team} agrees, we will {verb} {thing} {when}.
""".strip().splitlines()

SLOTS: dict[str, Slots] = {"pt": PT_SLOTS, "en": EN_SLOTS}
TEMPLATES: dict[str, list[str]] = {"pt": PT_TEMPLATES, "en": EN_TEMPLATES}
